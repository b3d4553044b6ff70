//! The gradients of all processes as one: each has its part of a batch.

use tch::{Device, Kind, TchError, Tensor, no_grad};

/// Numbers that go with the gradients: rows, requests to stop, requests to keep.
const NUMBERS: usize = 3;

/// What all processes together have come to in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Together {
    /// Rows with an image, over all parts.
    pub rows: usize,
    /// Whether one of them was asked to stop.
    pub stop: bool,
    /// Whether the state within the epoch is to be kept.
    pub keep: bool,
}

/// The gradients of an optimizer's parameters, in one piece of memory.
pub struct Gradients {
    /// `[NUMBERS + parameters + values]` in float32 on the processor: numbers, per parameter how many have a gradient for
    /// it, and the gradients.
    all: Tensor,
    /// The gradients in `all`, each shaped as its parameter.
    each: Vec<Tensor>,
}

impl Gradients {
    /// For parameters of these shapes.
    ///
    /// # Errors
    /// There is not enough memory.
    pub fn new(shapes: &[Vec<i64>]) -> Result<Self, TchError> {
        let sizes: Vec<i64> = shapes.iter().map(|shape| shape.iter().product()).collect();
        let mut at = (NUMBERS + shapes.len()) as i64;
        let all = Tensor::f_zeros([at + sizes.iter().sum::<i64>()], (Kind::Float, Device::Cpu))?;
        let mut each = Vec::with_capacity(shapes.len());
        for (shape, size) in shapes.iter().zip(sizes) {
            each.push(all.f_narrow(0, at, size)?.f_view(shape.as_slice())?);
            at += size;
        }
        Ok(Self { all, each })
    }

    /// Takes this process' gradients of the mean over its `rows`; one that is not defined, or none at all, count as 0.
    /// `stop` and `keep` are its requests.
    ///
    /// # Errors
    /// A gradient cannot be copied.
    pub fn put(&self, gradients: &[Tensor], own: Together) -> Result<(), TchError> {
        let number = |is: bool| if is { 1.0 } else { 0.0 };
        let mut numbers = vec![own.rows as f32, number(own.stop), number(own.keep)];
        no_grad(|| {
            for (place, each) in self.each.iter().enumerate() {
                let gradient = gradients.get(place).filter(|gradient| gradient.defined());
                numbers.push(number(gradient.is_some()));
                let mut each = each.shallow_clone();
                match gradient {
                    // By rows: parts may differ in size, and so may what of them can be read.
                    Some(gradient) => {
                        each.f_copy_(gradient)?;
                        let _ = each.f_mul_scalar_(own.rows as f64)?;
                    }
                    None => drop(each.f_zero_()?),
                }
            }
            let numbers = Tensor::f_from_slice(&numbers)?;
            self.all.f_narrow(0, 0, numbers.numel() as i64)?.f_copy_(&numbers)
        })
    }

    /// What the processes exchange.
    pub fn tensor(&self) -> &Tensor {
        &self.all
    }

    /// After [`Self::tensor`] was summed: gradients of the mean over the rows of all, on `device`; not defined where
    /// nobody has one.
    ///
    /// # Errors
    /// There is not enough memory.
    pub fn take(&self, device: Device) -> Result<(Vec<Tensor>, Together), TchError> {
        let count = NUMBERS + self.each.len();
        let numbers = Vec::<f32>::try_from(self.all.f_narrow(0, 0, count as i64)?)?;
        let together = Together { rows: numbers[0] as usize, stop: numbers[1] > 0.0, keep: numbers[2] > 0.0 };
        let rows = together.rows.max(1) as f64;
        let gradient = |(each, holders): (&Tensor, &f32)| {
            if *holders == 0.0 {
                return Ok(Tensor::new());
            }
            no_grad(|| each.shallow_clone().f_div_scalar_(rows))?.f_to_device(device)
        };
        let gradients = self.each.iter().zip(&numbers[NUMBERS..]).map(gradient).collect::<Result<_, _>>()?;
        Ok((gradients, together))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_count_by_their_rows() {
        let shapes = [vec![2], vec![1, 1], vec![3]];
        let (a, b) = (Gradients::new(&shapes).unwrap(), Gradients::new(&shapes).unwrap());
        let own = |rows, stop| Together { rows, stop, keep: false };
        let one = |value: f32| Tensor::from_slice(&[value]).view([1, 1]);
        // Nobody has a gradient of the last, and only the second of the one before.
        a.put(&[Tensor::from_slice(&[1_f32, 2.0]), Tensor::new(), Tensor::new()], own(3, false)).unwrap();
        b.put(&[Tensor::from_slice(&[5_f32, 6.0]), one(8.0), Tensor::new()], own(1, true)).unwrap();
        let _ = a.tensor().shallow_clone().g_add_(b.tensor());
        let (gradients, together) = a.take(Device::Cpu).unwrap();
        assert_eq!(together, Together { rows: 4, stop: true, keep: false });
        assert_eq!(Vec::<f32>::try_from(&gradients[0]).unwrap(), [2.0, 3.0]);
        assert_eq!((gradients[1].size(), gradients[1].double_value(&[0, 0])), (vec![1, 1], 2.0));
        assert!(!gradients[2].defined());
    }

    #[test]
    fn a_part_without_rows_counts_nothing() {
        let a = Gradients::new(&[vec![1]]).unwrap();
        a.put(&[Tensor::from_slice(&[1_f32])], Together { rows: 2, stop: false, keep: true }).unwrap();
        a.put(&[], Together { rows: 0, stop: false, keep: false }).unwrap();
        let (gradients, together) = a.take(Device::Cpu).unwrap();
        assert_eq!(together, Together { rows: 0, stop: false, keep: false });
        assert!(!gradients[0].defined());
    }
}
