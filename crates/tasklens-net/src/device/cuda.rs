//! The NVIDIA driver, and libtorch's CUDA half opened at run time.
//!
//! The linker drops libtorch_cuda because nothing refers to it, which is why so many programs find no GPU; we open it
//! by name before the first tensor. Besides `files::map` and the kernel of `inference::neighbours`, this is the only
//! `unsafe` code.
#![allow(unsafe_code)] // The foreign functions of the driver, and opening libraries.

use std::ffi::{CStr, c_char, c_int, c_uint};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libloading::Library;
use tasklens_data::user_folders;

/// The CUDA version that libtorch 2.11.0's libraries require from the driver (13.0).
const NEEDED: c_int = 13_000;

/// An NVIDIA GPU, as described by the driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// Such as `NVIDIA H100 80GB HBM3`.
    pub name: String,
    /// Total memory in bytes.
    pub memory_bytes: u64,
    /// Compute capability, major and minor.
    pub capability: (i32, i32),
    /// What tells it from all others, on any computer; `None` where the driver does not say.
    pub uuid: Option<[u8; 16]>,
}

/// Why no NVIDIA GPU can be used; the messages say what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CudaProblem {
    /// There is no driver library.
    #[error("no NVIDIA driver was found; without an NVIDIA GPU there is nothing to do")]
    NoDriver,
    /// The driver is installed but does not work.
    #[error("the NVIDIA driver reports error {0}: restart the computer, or reinstall the driver")]
    Driver(i32),
    /// The driver is older than the libraries require.
    #[error("the NVIDIA driver supports CUDA {found}, but 13.0 is needed: install driver 580 or newer")]
    OldDriver {
        /// Its CUDA version, such as `12.4`.
        found: String,
    },
    /// There is a driver, but no GPU.
    #[error("the NVIDIA driver sees no GPU (is CUDA_VISIBLE_DEVICES set?)")]
    NoGpu,
    /// The libraries were not fetched.
    #[error("the GPU works, but libtorch's CUDA libraries are missing: {} them", what_brings_cuda())]
    NoLibrary,
    /// The library exists but cannot be loaded.
    #[error("{} cannot be loaded ({reason}): {} them anew", path.display(), what_brings_cuda())]
    Library {
        path: PathBuf,
        /// Error of the operating system.
        reason: String,
    },
    /// Everything is there, but libtorch does not accept it.
    #[error(
        "libtorch does not recognise the CUDA libraries in {}: set TASKLENS_CUDA to those of libtorch 2.11.0",
        path.display()
    )]
    NotTaken { path: PathBuf },
}

/// As [`user_folders::what_brings`], of the libraries for GPUs.
fn what_brings_cuda() -> &'static str {
    match user_folders::is_packaged() {
        true => "the package tasklens-gpu brings",
        false => "the set-up of Tasklens for GPUs fetches",
    }
}

/// Opens libtorch's CUDA half on the first call, if there is a driver with a GPU, and returns the GPUs. Later calls
/// return the result of the first.
pub fn load() -> Result<&'static [Gpu], &'static CudaProblem> {
    static LOADED: OnceLock<Result<Vec<Gpu>, CudaProblem>> = OnceLock::new();
    LOADED.get_or_init(try_load).as_ref().map(Vec::as_slice)
}

fn try_load() -> Result<Vec<Gpu>, CudaProblem> {
    let (version, gpus) = driver()?;
    if version < NEEDED {
        return Err(CudaProblem::OldDriver { found: cuda_version(version) });
    }
    if gpus.is_empty() {
        return Err(CudaProblem::NoGpu);
    }
    // A libtorch that was linked with its CUDA half needs no help.
    if tch_links_cuda() {
        return Ok(gpus);
    }
    let path = library().ok_or(CudaProblem::NoLibrary)?;
    open_forever(&path)
        .map_err(|error| CudaProblem::Library { path: path.clone(), reason: error.to_string() })?;
    // These are looked for by name when first used, but along the CPU half's paths; once open, they are
    // found wherever they lie.
    for name in ["libcaffe2_nvrtc.so", "libtorch_cuda_linalg.so"] {
        if let Err(error) = open_forever(&path.with_file_name(name)) {
            log::debug!("{name} was not loaded: {error}");
        }
    }
    if tch::Cuda::is_available() { Ok(gpus) } else { Err(CudaProblem::NotTaken { path }) }
}

/// Whether the CUDA half is loaded already. This must not ask libtorch, which would cache the answer.
fn tch_links_cuda() -> bool {
    loaded_library("libtorch_cuda.so").is_some()
}

/// Path of libtorch's CUDA half, if any.
pub fn library() -> Option<PathBuf> {
    let named = std::env::var_os("TASKLENS_CUDA").map(PathBuf::from);
    let linked = std::env::var_os("LIBTORCH").map(|root| PathBuf::from(root).join("lib"));
    candidates(named.as_deref(), loaded_library("libtorch_cpu.so").as_deref(), linked.as_deref())
        .into_iter()
        .find(|path| path.is_file())
}

/// `named` is a file or folder that the user named, `cpu` the CPU half in use, `linked` a folder of
/// libraries.
fn candidates(named: Option<&Path>, cpu: Option<&Path>, linked: Option<&Path>) -> Vec<PathBuf> {
    const NAME: &str = if cfg!(windows) { "torch_cuda.dll" } else { "libtorch_cuda.so" };
    let mut places = Vec::new();
    if let Some(named) = named {
        places.extend([named.to_path_buf(), named.join(NAME), named.join("torch/lib").join(NAME)]);
    }
    if let Some(lib) = cpu.and_then(Path::parent) {
        places.push(lib.join(NAME));
        // Where `cargo xtask setup --gpu` puts it: in a separate folder, so that the build never links it.
        if let Some((root, name)) = lib.parent().and_then(|root| Some((root, root.file_name()?))) {
            let mut beside = name.to_owned();
            beside.push("-gpu");
            places.push(root.with_file_name(beside).join("torch/lib").join(NAME));
        }
    }
    places.extend(linked.map(|lib| lib.join(NAME)));
    places
}

/// The path of a library that this process has loaded (Linux; `None` elsewhere).
pub fn loaded_library(name: &str) -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    maps.lines()
        .filter_map(|line| line.find('/').map(|start| Path::new(&line[start..])))
        .find(|path| path.file_name().is_some_and(|found| found == name))
        .map(Path::to_path_buf)
}

/// Formats a version, such as `13.0` for 13000.
pub fn cuda_version(version: i32) -> String {
    format!("{}.{}", version / 1000, version % 1000 / 10)
}

/// Opens a library globally, until the end of the process.
fn open_forever(path: &Path) -> Result<(), libloading::Error> {
    #[cfg(unix)]
    {
        use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
        // SAFETY: the initialisers of libtorch's libraries register themselves with the libtorch that is
        // loaded already, and may run at any time before its first use; nothing unloads them.
        let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_GLOBAL) }?;
        let _ = library.into_raw();
    }
    #[cfg(not(unix))]
    {
        // SAFETY: as above.
        std::mem::forget(unsafe { Library::new(path) }?);
    }
    Ok(())
}

/// The CUDA version that the driver supports (13000 is 13.0), and the GPUs.
pub fn driver() -> Result<(i32, Vec<Gpu>), CudaProblem> {
    let name = if cfg!(windows) { "nvcuda.dll" } else { "libcuda.so.1" };
    // SAFETY: the driver's library has no initialiser with requirements on its caller.
    let library = unsafe { Library::new(name) }.map_err(|_| CudaProblem::NoDriver)?;
    let found = read_driver(&library);
    // libtorch uses the driver to the end of the process.
    std::mem::forget(library);
    found
}

fn read_driver(library: &Library) -> Result<(i32, Vec<Gpu>), CudaProblem> {
    const NO_DEVICE: c_int = 100;
    const MAJOR: c_int = 75;
    const MINOR: c_int = 76;
    let missing = |_| CudaProblem::NoDriver;
    let check = |code: c_int| if code == 0 { Ok(()) } else { Err(CudaProblem::Driver(code)) };
    // SAFETY: the signatures are those of NVIDIA's cuda.h, and have been since CUDA 3.2 (11.4 for `cuDeviceGetUuid_v2`); every pointer
    // is to a local that lives through the call, and buffers are passed with their size.
    unsafe {
        let init = library.get::<unsafe extern "C" fn(c_uint) -> c_int>(b"cuInit\0").map_err(missing)?;
        let version = library
            .get::<unsafe extern "C" fn(*mut c_int) -> c_int>(b"cuDriverGetVersion\0")
            .map_err(missing)?;
        let count = library
            .get::<unsafe extern "C" fn(*mut c_int) -> c_int>(b"cuDeviceGetCount\0")
            .map_err(missing)?;
        let device = library
            .get::<unsafe extern "C" fn(*mut c_int, c_int) -> c_int>(b"cuDeviceGet\0")
            .map_err(missing)?;
        let name = library
            .get::<unsafe extern "C" fn(*mut c_char, c_int, c_int) -> c_int>(b"cuDeviceGetName\0")
            .map_err(missing)?;
        let memory = library
            .get::<unsafe extern "C" fn(*mut usize, c_int) -> c_int>(b"cuDeviceTotalMem_v2\0")
            .map_err(missing)?;
        let attribute = library
            .get::<unsafe extern "C" fn(*mut c_int, c_int, c_int) -> c_int>(b"cuDeviceGetAttribute\0")
            .map_err(missing)?;
        // The one without `_v2` does not tell the parts of a GPU apart (MIG).
        let uuid =
            library.get::<unsafe extern "C" fn(*mut [u8; 16], c_int) -> c_int>(b"cuDeviceGetUuid_v2\0").ok();

        let mut supported = 0;
        check(version(&raw mut supported))?;
        match init(0) {
            NO_DEVICE => return Ok((supported, Vec::new())),
            code => check(code)?,
        }
        let mut n = 0;
        check(count(&raw mut n))?;
        let mut gpus = Vec::new();
        for index in 0..n {
            let (mut handle, mut bytes, mut major, mut minor) = (0, 0, 0, 0);
            let mut text: [c_char; 256] = [0; 256];
            check(device(&raw mut handle, index))?;
            check(name(text.as_mut_ptr(), 255, handle))?;
            check(memory(&raw mut bytes, handle))?;
            check(attribute(&raw mut major, MAJOR, handle))?;
            check(attribute(&raw mut minor, MINOR, handle))?;
            gpus.push(Gpu {
                name: CStr::from_ptr(text.as_ptr()).to_string_lossy().into_owned(),
                memory_bytes: bytes as u64,
                capability: (major, minor),
                uuid: uuid.as_ref().and_then(|uuid| {
                    let mut bytes = [0; 16];
                    (uuid(&raw mut bytes, handle) == 0).then_some(bytes)
                }),
            });
        }
        Ok((supported, gpus))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cuda_half_is_looked_for_where_set_up_puts_it() {
        let cpu = Path::new("/cache/libtorch-2.11.0-linux-x86_64/lib/libtorch_cpu.so");
        let places = candidates(None, Some(cpu), None);
        let beside = "/cache/libtorch-2.11.0-linux-x86_64-gpu/torch/lib/libtorch_cuda.so";
        assert!(places.contains(&PathBuf::from(beside)), "{places:?}");
    }

    #[test]
    fn what_the_user_names_comes_first() {
        let places = candidates(Some(Path::new("/own")), Some(Path::new("/a/lib/libtorch_cpu.so")), None);
        assert_eq!(places[0], Path::new("/own"));
        assert_eq!(places[1], Path::new("/own/libtorch_cuda.so"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_libtorch_in_use_is_found() {
        drop(tch::Tensor::from(1.0));
        assert!(loaded_library("libtorch_cpu.so").unwrap().is_file());
    }

    #[test]
    fn versions_read_as_nvidia_writes_them() {
        assert_eq!(cuda_version(13_000), "13.0");
        assert_eq!(cuda_version(12_040), "12.4");
    }
}
