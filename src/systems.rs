//! The registry of systems, one line each: a manifest and a run name their system, and everything that
//! must tell systems apart goes through here. There are four kinds, painters, captioners, rankers and paraphrasers;
//! training and weights know all of them as [`Trainable`] alone.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
#[cfg(looks)]
use crate::image2text::{align, attend, embed, rnn};
#[cfg(paints)]
use crate::model::TextToImage;
use crate::model::{Config, ImageSize, Trainable, check_memory};
#[cfg(looks)]
use crate::model::{ImageTextMatching, ImageToText, TextToText};
#[cfg(native)]
use crate::options::Preset;
#[cfg(tensors)]
use crate::text2image::{deconv, lapgan, layered, vae};
#[cfg(fused)]
use crate::text2image::{draw, framed};
#[cfg(looks)]
use crate::text2text::encoder_decoder;

macro_rules! systems {
    (painters { fused { $($fused:tt)+ } in tensors { $($tensors:tt)+ } } captioners { $($captioners:tt)+ }
     rankers { $($rankers:tt)+ } paraphrasers { $($paraphrasers:tt)+ }) => {
        // What an engine of the browser never runs need not be downloaded: those of painters know painters alone, of
        // the two on the CPU each its own, the one that looks at pictures all others.
        of_any_kind! {
            (fused)
            ["text-to-image", "draws", "aligndraw paint CAPTION"] { $($fused)+ }
            (tensors)
            ["text-to-image", "draws", "aligndraw paint CAPTION"] { $($tensors)+ }
            (looks)
            ["image-to-text", "describes pictures", "aligndraw describe PICTURE"] { $($captioners)+ }
            (looks)
            ["image-text-matching", "ranks pictures", "aligndraw search SENTENCE PICTURES"] { $($rankers)+ }
            (looks)
            ["text-to-text", "paraphrases", "aligndraw paraphrase SENTENCE"] { $($paraphrasers)+ }
        }
        painting_engines! { "cpu" { $($fused)+ } "flex" { $($tensors)+ } }
        ranking! { $($rankers)+ }
        of_one_kind! {
            (paints)
            visit_painter(PainterVisitor: TextToImage), is_painter, "it does not draw";
            (fused) { $($fused)+ } (tensors) { $($tensors)+ }
        }
        of_one_kind! {
            (looks)
            visit_captioner(CaptionerVisitor: ImageToText), is_captioner, "it does not describe pictures";
            (looks) { $($captioners)+ }
        }
        of_one_kind! {
            (looks)
            visit_ranker(RankerVisitor: ImageTextMatching), is_ranker, "it does not rank pictures";
            (looks) { $($rankers)+ }
        }
        of_one_kind! {
            (looks)
            visit_paraphraser(ParaphraserVisitor: TextToText), is_paraphraser, "it does not paraphrase";
            (looks) { $($paraphrasers)+ }
        }
    };
}

macro_rules! painting_engines {
    ($($engine:literal {
        $($(#[doc = $doc:expr])+ $variant:ident($model:ty) = $name:literal $(| $earlier:literal)*;)+
    })+) => {
        /// Which engine of the browser runs each painter on the CPU, under all its names.
        fn painting_engines() -> Vec<(&'static str, &'static str)> {
            let mut engines = Vec::new();
            $(engines.extend([$($name $(, $earlier)*),+].map(|name| (name, $engine)));)+
            engines
        }
    };
}

macro_rules! ranking {
    ($($(#[doc = $doc:expr])+ $variant:ident($model:ty) = $name:literal $(| $earlier:literal)*;)+) => {
        /// Whether a system, under any of its names, says which sentence belongs to which picture.
        pub fn ranks(name: &str) -> bool {
            [$($name $(, $earlier)*),+].contains(&name)
        }
    };
}

macro_rules! of_one_kind {
    ($cfg:tt $visit:ident($visitor:ident: $promise:ident), $is:ident, $cannot:literal; $($of:tt {
        $($(#[doc = $doc:expr])+ $variant:ident($model:ty) = $name:literal $(| $earlier:literal)*;)+
    })+) => {
        /// Does something with the model type of one kind of systems.
        #[cfg $cfg]
        pub trait $visitor {
            /// What comes of it.
            type Output;

            /// Called with the model type and its sizes.
            fn visit<M: $promise>(self, config: &M::Config) -> Self::Output;
        }

        #[cfg $cfg]
        impl System {
            /// Calls a visitor with the system's model type and its sizes, where it is of this kind.
            ///
            /// **Errors** [`Error::Model`] for any other kind.
            pub fn $visit<V: $visitor>(&self, visitor: V) -> Result<V::Output> {
                match self {
                    $($(#[cfg $of] Self::$variant(config) => Ok(visitor.visit::<$model>(config)),)+)+
                    #[allow(unreachable_patterns)]
                    _ => Err(self.other_kind($cannot)),
                }
            }

            /// Whether it is of this kind.
            pub fn $is(&self) -> bool {
                match self {
                    $($(#[cfg $of] Self::$variant(_) => true,)+)+
                    #[allow(unreachable_patterns)]
                    _ => false,
                }
            }
        }
    };
}

macro_rules! of_any_kind {
    ($($cfg:tt [$kind:literal, $does:literal, $with:literal]
       { $($(#[doc = $doc:expr])+ $variant:ident($model:ty) = $name:literal $(| $earlier:literal)*;)+ })+) => {
        /// A system with its sizes. There is one for a model, so that the largest may be as large as it is.
        #[allow(clippy::large_enum_variant)]
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "system", content = "config")]
        pub enum System {
            $($($(#[doc = $doc])+
            #[cfg $cfg]
            #[serde(rename = $name $(, alias = $earlier)*)]
            $variant(<$model as Trainable>::Config),)+)+
        }

        /// Which engine of the browser runs each system on the CPU, under all its names: "cpu" by fused passes, "flex"
        /// in burn's tensors, "describe" what looks at pictures.
        pub fn engines() -> Vec<(&'static str, &'static str)> {
            let mut engines = painting_engines();
            for name in [$($($name $(, $earlier)*),+),+] {
                if !engines.iter().any(|(painter, _)| *painter == name) {
                    engines.push((name, "describe"));
                }
            }
            engines
        }

        /// The names of the systems that are known here, as manifests write them.
        pub const NAMES: &[&str] = &[$($(#[cfg $cfg] $name),+),+];

        impl System {
            /// Its name.
            pub fn name(&self) -> &'static str {
                match self { $($(#[cfg $cfg] Self::$variant(_) => $name,)+)+ }
            }

            fn is_known(name: &str) -> bool {
                [$($(#[cfg $cfg] $name $(, #[cfg $cfg] $earlier)*),+),+].contains(&name)
            }

            /// What its models do: the name of the kind, in a sentence, and by what command.
            fn job(&self) -> [&'static str; 3] {
                match self { $($(#[cfg $cfg] Self::$variant(_) => [$kind, $does, $with],)+)+ }
            }

            /// Calls a visitor with the system's model type and its sizes.
            pub fn visit<V: SystemVisitor>(&self, visitor: V) -> V::Output {
                match self { $($(#[cfg $cfg] Self::$variant(config) => visitor.visit::<$model>(config),)+)+ }
            }
        }

        /// The training runs of all systems under their names.
        #[cfg(native)]
        pub fn presets() -> Vec<Preset<System>> {
            let mut all = Vec::new();
            $($(all.extend(<$model as Trainable>::presets().into_iter().map(|preset| Preset {
                name: preset.name,
                about: preset.about,
                options: preset.options.map_config(System::$variant),
            }));)+)+
            all
        }

        impl Config for System {
            fn check(&self) -> Result<()> {
                match self { $($(#[cfg $cfg] Self::$variant(config) => config.check(),)+)+ }
            }

            fn image_size(&self) -> ImageSize {
                match self { $($(#[cfg $cfg] Self::$variant(config) => config.image_size(),)+)+ }
            }

            fn num_steps(&self) -> usize {
                match self { $($(#[cfg $cfg] Self::$variant(config) => config.num_steps(),)+)+ }
            }

            fn with_num_steps(self, num_steps: usize) -> Self {
                match self {
                    $($(#[cfg $cfg] Self::$variant(config) => Self::$variant(config.with_num_steps(num_steps)),)+)+
                }
            }

            fn vocabulary_size(&self) -> usize {
                match self { $($(#[cfg $cfg] Self::$variant(config) => config.vocabulary_size(),)+)+ }
            }

            fn fit_data(&mut self, words: usize, image: Option<ImageSize>) {
                match self { $($(#[cfg $cfg] Self::$variant(config) => config.fit_data(words, image),)+)+ }
            }

            fn memory_bytes(&self) -> u64 {
                match self { $($(#[cfg $cfg] Self::$variant(config) => config.memory_bytes(),)+)+ }
            }
        }
    };
}

systems! {
    painters {
        fused {
            /// The DRAW family: alignDRAW and its relatives.
            Draw(draw::Draw) = "draw" | "align-draw";
            /// DRAW inside frames that the caption gives each drawn word.
            Framed(framed::Framed) = "framed";
        }
        in tensors {
            /// Pictures in layers: the place, then each thing in a frame of its own.
            Layered(layered::Layered) = "layered";
            /// Variational autoencoders, fully connected or convolutional.
            Vae(vae::Vae) = "vae";
            /// An LSTM over word vectors and transposed convolutions.
            Deconv(deconv::Deconv) = "deconv";
            /// Adversarial generators on a pyramid of sizes.
            Lapgan(lapgan::Lapgan) = "lapgan";
        }
    }
    captioners {
        /// Show, Attend and Tell, and Show and Tell.
        Attend(attend::Attend) = "attend";
        /// DeepVS' generator: a plain recurrent network biased by the picture.
        Rnn(rnn::Rnn) = "rnn";
    }
    rankers {
        /// Deep visual-semantic alignment: words in regions of pictures.
        Align(align::Align) = "align";
        /// A visual-semantic embedding: sentences and pictures in one space.
        Embed(embed::Embed) = "embed";
    }
    paraphrasers {
        /// A GRU encoder-decoder, with additive attention or without.
        EncoderDecoder(encoder_decoder::EncoderDecoder) = "encoder-decoder";
    }
}

/// Does something with the model type of a system: training, weights.
pub trait SystemVisitor {
    /// What comes of it.
    type Output;

    /// Called with the system's model type and its sizes.
    fn visit<M: Trainable>(self, config: &M::Config) -> Self::Output;
}

impl System {
    /// What its models do.
    pub fn kind(&self) -> &'static str {
        self.job()[0]
    }

    /// It was asked for what another kind does.
    fn other_kind(&self, cannot: &str) -> Error {
        let [_, does, with] = self.job();
        Error::Model(format!("\"{}\" {does}, {cannot}: {with}", self.name()))
    }

    /// The system that a manifest names, its sizes checked.
    ///
    /// **Errors** [`Error::Model`] for an unknown name or fields that are not its sizes; [`Error::Config`].
    pub fn from_manifest(name: &str, config: serde_json::Value) -> Result<Self> {
        if !Self::is_known(name) {
            let known = NAMES.join("\", \"");
            return Err(Error::Model(format!("\"{name}\" is not a known system, expected \"{known}\"")));
        }
        let tagged = serde_json::json!({ "system": name, "config": config });
        let system: Self = serde_json::from_value(tagged)
            .map_err(|error| Error::Model(format!("the manifest's config is not valid: {error}")))?;
        system.check()?;
        check_memory(&system)?;
        Ok(system)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_has_one_engine_under_all_its_names() {
        let engines = engines();
        let of = |system: &str| {
            let found: Vec<_> =
                engines.iter().filter(|(name, _)| *name == system).map(|(_, engine)| *engine).collect();
            assert_eq!(found.len(), 1, "{system}");
            found[0]
        };
        assert!(NAMES.iter().all(|name| ["cpu", "flex", "describe"].contains(&of(name))));
        assert!(ranks("embed") && !ranks("attend") && !ranks("draw"));
        assert_eq!(
            [of("draw"), of("align-draw"), of("framed"), of("layered"), of("attend")],
            ["cpu", "cpu", "cpu", "flex", "describe"]
        );
    }
}
