//! Whether processes compute on the same GPU, of which none of them knows by itself.

use std::collections::HashMap;

use tasklens_data::text::counted;

use super::Ranks;
use crate::device::{Device, cuda};

/// Where a process computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Own {
    /// How many processes are on its computer.
    local_size: usize,
    /// How many GPUs it sees.
    sees: usize,
    /// The one that it computes on; `None`: none, or one that has no name.
    gpu: Option<[u8; 16]>,
}

/// Numbers by which a process says it: the first two, whether there is a GPU, and the bytes of its name.
const NUMBERS: usize = 3 + 16;

impl Own {
    fn of(ranks: &Ranks, device: &Device) -> Self {
        let local_size = ranks.place().local_size;
        let tch::Device::Cuda(index) = device.tch else {
            return Self { local_size, ..Self::default() };
        };
        let gpus = cuda::load().unwrap_or_default();
        Self { local_size, sees: gpus.len(), gpu: gpus.get(index).and_then(|gpu| gpu.uuid) }
    }

    fn numbers(self) -> [f64; NUMBERS] {
        let mut numbers = [0.0; NUMBERS];
        numbers[0] = self.local_size as f64;
        numbers[1] = self.sees as f64;
        if let Some(gpu) = self.gpu {
            numbers[2] = 1.0;
            for (number, byte) in numbers[3..].iter_mut().zip(gpu) {
                *number = f64::from(byte);
            }
        }
        numbers
    }

    fn from(numbers: &[f64; NUMBERS]) -> Self {
        let byte = |at: usize| numbers[3 + at] as u8;
        Self {
            local_size: numbers[0] as usize,
            sees: numbers[1] as usize,
            gpu: (numbers[2] > 0.0).then(|| std::array::from_fn(byte)),
        }
    }
}

/// What the user should know where several processes compute on one GPU. All of them call it at the same time.
///
/// # Errors
/// A process is gone.
pub fn shared(ranks: &Ranks, device: &Device) -> anyhow::Result<Option<String>> {
    let place = ranks.place();
    let mut all = vec![0.0; NUMBERS * place.size];
    all[NUMBERS * place.rank..][..NUMBERS].copy_from_slice(&Own::of(ranks, device).numbers());
    // In its part, each is added to nothing.
    ranks.sum_numbers(&mut all)?;
    let (each, _) = all.as_chunks();
    Ok(told(&each.iter().map(Own::from).collect::<Vec<_>>()))
}

/// The notice for processes that compute there, if one is due.
fn told(all: &[Own]) -> Option<String> {
    let mut sharers: HashMap<[u8; 16], usize> = HashMap::new();
    for gpu in all.iter().filter_map(|own| own.gpu) {
        *sharers.entry(gpu).or_default() += 1;
    }
    let is_shared = |own: &&Own| own.gpu.is_some_and(|gpu| sharers[&gpu] > 1);
    // Of several GPUs that are shared, the one with the most, and of these the first.
    let sharing = |own: &&Own| own.gpu.map_or(0, |gpu| sharers[&gpu]);
    let own = all.iter().rev().filter(is_shared).max_by_key(sharing)?;
    let told = format!(
        "{} processes compute on the same GPU: there are {} on their computer, and each sees {}. They are in each other\u{2019}s way \
         and no faster than one",
        sharing(&own),
        own.local_size,
        counted(own.sees, "GPU")
    );
    let advice = match own.sees >= own.local_size {
        true => "set `device: auto`, with which each process takes a GPU of its own",
        false => {
            "start as many processes on a computer as it has GPUs (torchrun --nproc-per-node, srun --ntasks-per-node), \
             and let them see all of these (CUDA_VISIBLE_DEVICES, srun --gpus-per-node)"
        }
    };
    Some(format!("{told}: {advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process on a computer with `local_size` of them, which sees so many GPUs and computes on that of this name.
    fn own(local_size: usize, sees: usize, gpu: u8) -> Own {
        Own { local_size, sees, gpu: Some([gpu; 16]) }
    }

    #[test]
    fn processes_on_one_gpu_are_told_with_what_to_do() {
        let notice = told(&[own(3, 1, 7), own(3, 1, 7), own(3, 1, 7)]).unwrap();
        assert!(
            notice.starts_with("3 processes compute on the same GPU: there are 3 on their computer"),
            "{notice}"
        );
        assert!(notice.contains("each sees 1 GPU.") && notice.contains("--nproc-per-node"), "{notice}");
        // The config names one of two.
        let notice = told(&[own(2, 2, 7), own(2, 2, 7)]).unwrap();
        assert!(notice.contains("each sees 2 GPUs.") && notice.ends_with("a GPU of its own"), "{notice}");
        // Three take turns at two.
        let notice = told(&[own(3, 2, 7), own(3, 2, 8), own(3, 2, 7)]).unwrap();
        assert!(notice.starts_with("2 processes") && notice.contains("--ntasks-per-node"), "{notice}");
    }

    #[test]
    fn nothing_is_told_where_each_has_its_own() {
        assert_eq!(told(&[own(2, 2, 7), own(2, 2, 8)]), None);
        // As under srun --gpus-per-task: each sees its own alone.
        assert_eq!(told(&[own(2, 1, 7), own(2, 1, 8)]), None);
        let on_processor = Own { local_size: 2, sees: 0, gpu: None };
        assert_eq!(told(&[on_processor; 2]), None);
    }

    #[test]
    fn what_a_process_says_is_read_by_the_others() {
        let gpu = std::array::from_fn(|at| 255 - at as u8);
        for own in [Own { local_size: 4, sees: 8, gpu: Some(gpu) }, Own { local_size: 1, sees: 0, gpu: None }]
        {
            assert_eq!(Own::from(&own.numbers()), own);
        }
    }
}
