//! Which wheels we take, and which of their files go where.

use std::path::PathBuf;

use crate::platform::{Platform, VERSION};

/// What libtorch's CPU half is linked against, besides itself: two small CUDA libraries on Linux,
/// because the published build is one for CPU and GPU.
const CUDA_RUNTIME: [&str; 2] = ["nvidia-cuda-runtime==13.0.96", "nvidia-cuda-cupti==13.0.85"];

/// The libraries of the torch wheel that only a GPU needs.
const GPU_LIBRARIES: [&str; 5] = [
    "libc10_cuda.so",
    "libcaffe2_nvrtc.so",
    "libtorch_cuda.so",
    "libtorch_cuda_linalg.so",
    "libtorch_nvshmem.so",
];

/// What serves Python alone.
const PYTHON_LIBRARIES: [&str; 3] = ["torch_python", "torch_global_deps", "shm"];

/// Requirements of a build that runs on the CPU.
pub fn for_cpu(platform: Platform) -> Vec<String> {
    let mut wheels = vec![format!("torch=={VERSION}")];
    if platform.is_linux() {
        wheels.extend(CUDA_RUNTIME.map(str::to_owned));
    }
    wheels
}

/// The CUDA libraries among what the torch wheel requires; what serves Python alone is left out.
pub fn for_gpu(requires: &[String]) -> Vec<String> {
    requires
        .iter()
        .filter_map(|line| line.split(';').next())
        .map(|requirement| requirement.trim().to_owned())
        .filter(|requirement| requirement.starts_with("nvidia-") || requirement.starts_with("cuda-toolkit"))
        .collect()
}

/// Where a file of a wheel goes in the folder that we link against, if it is wanted there.
///
/// There must be no `libtorch_cuda` in that folder: tch would link it, and the program would not
/// start on a machine without the CUDA libraries.
pub fn place_cpu(name: &str) -> Option<PathBuf> {
    if let Some(file) = name.strip_prefix("torch/lib/") {
        let stem = file.strip_prefix("lib").unwrap_or(file).split('.').next()?;
        let library = [".so", ".dylib", ".dll", ".lib"].iter().any(|end| file.contains(end));
        let wanted = library && !GPU_LIBRARIES.contains(&file) && !PYTHON_LIBRARIES.contains(&stem);
        return (wanted && !file.contains('/')).then(|| PathBuf::from("lib").join(file));
    }
    if let Some(file) = name.strip_prefix("torch/include/") {
        return safe(file).then(|| PathBuf::from("include").join(file));
    }
    if let Some((_, file)) = name.strip_prefix("nvidia/").and_then(|rest| rest.rsplit_once("/lib/")) {
        let wanted = ["libcudart.so", "libcupti.so"].iter().any(|start| file.starts_with(start));
        return wanted.then(|| PathBuf::from("lib").join(file));
    }
    place_licence(name)
}

/// Where a file of a wheel goes in the folder of the GPU's libraries. It mirrors Python's
/// `site-packages`, because the libraries look for each other along those paths.
pub fn place_gpu(name: &str) -> Option<PathBuf> {
    if let Some(file) = name.strip_prefix("torch/lib/") {
        return GPU_LIBRARIES.contains(&file).then(|| PathBuf::from(name));
    }
    if name.starts_with("nvidia/") && name.contains("/lib/") {
        return (name.contains(".so") && safe(name)).then(|| PathBuf::from(name));
    }
    place_licence(name)
}

/// What prediction with OpenVINO needs: its core with the interface in C, the plugin for processors, the readers of
/// ONNX and of its own form, and the threads of oneTBB.
const OPENVINO_LIBRARIES: [&str; 8] = [
    "libopenvino.so",
    "libopenvino_c.so",
    "libopenvino_intel_cpu_plugin.so",
    "libopenvino_ir_frontend.so",
    "libopenvino_onnx_frontend.so",
    "libhwloc.so",
    "libtbb.so",
    "libtbbmalloc.so",
];

/// Where a file of the OpenVINO wheel goes in its folder, if it is wanted there.
pub fn place_openvino(name: &str) -> Option<PathBuf> {
    if let Some(file) = name.strip_prefix("openvino/libs/") {
        // Most have a version behind the ending.
        let wanted = OPENVINO_LIBRARIES.iter().any(|library| {
            file.strip_prefix(library).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        return (wanted && safe(file)).then(|| PathBuf::from("lib").join(file));
    }
    // Those of what it contains, such as oneDNN and oneTBB.
    let (package, file) = name.split_once(".dist-info/licenses/licensing/").unwrap_or_default();
    if file.ends_with("third-party-programs.txt") && !file.contains('/') && safe(package) {
        return Some(PathBuf::from("licenses").join(package).join(file));
    }
    place_licence(name)
}

fn place_licence(name: &str) -> Option<PathBuf> {
    let (package, file) = name.split_once(".dist-info/")?;
    let file = file.strip_prefix("licenses/").unwrap_or(file);
    let upper = file.to_uppercase();
    let licence = ["LICENSE", "LICENCE", "NOTICE", "COPYING"].iter().any(|start| upper.starts_with(start));
    (licence && !file.contains('/')).then(|| PathBuf::from("licenses").join(package).join(file))
}

fn safe(path: &str) -> bool {
    !path.contains('\\') && path.split('/').all(|part| !part.is_empty() && part != "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpu(name: &str) -> Option<String> {
        place_cpu(name).map(|path| path.to_string_lossy().replace('\\', "/"))
    }

    #[test]
    fn the_linked_folder_has_no_cuda_library_that_tch_would_link() {
        for name in ["libtorch_cuda.so", "libc10_cuda.so", "libtorch_nvshmem.so", "libtorch_python.so"] {
            assert_eq!(cpu(&format!("torch/lib/{name}")), None, "{name}");
        }
        assert_eq!(cpu("nvidia/cu13/lib/libnvperf_host.so"), None);
        assert_eq!(cpu("nvidia/cu13/lib/libcudart_static.a"), None);
    }

    #[test]
    fn the_linked_folder_has_what_the_cpu_build_needs_on_every_platform() {
        for name in [
            "libtorch_cpu.so",
            "libtorch.so",
            "libc10.so",
            "libgomp.so.1",
            "libnvpl_blas_core.so.0",
            "libtorch_cpu.dylib",
            "libomp.dylib",
            "torch_cpu.dll",
            "torch_cpu.lib",
            "libiomp5md.dll",
        ] {
            assert_eq!(cpu(&format!("torch/lib/{name}")), Some(format!("lib/{name}")));
        }
        assert_eq!(cpu("nvidia/cu13/lib/libcudart.so.13").as_deref(), Some("lib/libcudart.so.13"));
        assert_eq!(cpu("torch/include/c10/macros/Macros.h").as_deref(), Some("include/c10/macros/Macros.h"));
        assert_eq!(
            cpu("torch-2.11.0.dist-info/licenses/NOTICE").as_deref(),
            Some("licenses/torch-2.11.0/NOTICE")
        );
        assert_eq!(cpu("torch/nn/modules/module.py"), None);
    }

    #[test]
    fn openvino_comes_without_the_readers_of_other_forms_and_without_python() {
        let place = |name: &str| place_openvino(name).map(|path| path.to_string_lossy().replace('\\', "/"));
        for name in
            ["libopenvino.so.2641", "libopenvino_intel_cpu_plugin.so", "libtbb.so.12", "libhwloc.so.15"]
        {
            assert_eq!(place(&format!("openvino/libs/{name}")), Some(format!("lib/{name}")));
        }
        for name in [
            "openvino/libs/libopenvino_tensorflow_frontend.so.2641",
            "openvino/libs/libopenvino_intel_gpu_plugin.so",
            "openvino/libs/libtbbmalloc_proxy.so.2",
            "openvino/libs/cache.json",
            "openvino/_pyopenvino.cpython-311-x86_64-linux-gnu.so",
        ] {
            assert_eq!(place(name), None, "{name}");
        }
        assert_eq!(
            place("openvino-2026.4.1.dist-info/licenses/LICENSE").as_deref(),
            Some("licenses/openvino-2026.4.1/LICENSE")
        );
        assert_eq!(
            place("openvino-2026.4.1.dist-info/licenses/licensing/onednn_third-party-programs.txt")
                .as_deref(),
            Some("licenses/openvino-2026.4.1/onednn_third-party-programs.txt")
        );
    }

    #[test]
    fn a_wheel_cannot_write_outside_the_folder() {
        assert_eq!(cpu("torch/include/../../../.bashrc"), None);
        assert_eq!(place_gpu("nvidia/../../lib/evil.so"), None);
        assert_eq!(place_openvino("openvino/libs/libtbb.so./../../evil"), None);
    }

    #[test]
    fn the_gpu_needs_the_cuda_libraries_and_no_python_packages() {
        let requires = [
            "filelock",
            "cuda-toolkit[cublas,cudart]==13.0.2; platform_system == \"Linux\"",
            "cuda-bindings<14,>=13.0.3; platform_system == \"Linux\"",
            "nvidia-cudnn-cu13==9.19.0.56; platform_system == \"Linux\"",
            "triton==3.6.0; platform_system == \"Linux\"",
        ]
        .map(str::to_owned);
        assert_eq!(
            for_gpu(&requires),
            ["cuda-toolkit[cublas,cudart]==13.0.2", "nvidia-cudnn-cu13==9.19.0.56"]
        );
    }
}
