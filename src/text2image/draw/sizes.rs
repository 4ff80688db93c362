//! The sizes of whole models of the DRAW family: the papers' and those of this project.

use super::{AttentionInput, Conditioning, DrawConfig, Initializer, WindowLimit, WriteMode};

impl DrawConfig {
    /// The paper's model for MNIST with captions: 2 371 746 parameters.
    pub fn mnist_captions() -> Self {
        Self {
            vocabulary_size: 23,
            height: 60,
            width: 60,
            channels: 1,
            word_size: 128,
            align_size: 512,
            encoder_size: 300,
            decoder_size: 300,
            latent_size: 150,
            read_size: 8,
            write_size: 8,
            num_steps: 32,
            initial_canvas: -10.0,
            conditioning: Conditioning::Attention,
            initializer: Initializer::Paper,
            attention_input: AttentionInput::States,
            write_mode: WriteMode::Add,
            window_limits: Vec::new(),
            deviation: None,
        }
    }

    /// noalignDRAW for MNIST with captions: alignDRAW that hears the mean of the encoder's states.
    pub fn noalign() -> Self {
        Self { conditioning: Conditioning::Mean, align_size: 0, ..Self::mnist_captions() }
    }

    /// skipthoughtDRAW for MNIST with captions: alignDRAW that hears a fixed vector of the sentence of
    /// this size, 4800 in the paper.
    pub fn skipthought(size: usize) -> Self {
        let conditioning = Conditioning::Sentence { size, embedding_size: None };
        Self { conditioning, word_size: 0, align_size: 0, ..Self::mnist_captions() }
    }

    /// DRAW for binarised MNIST (Gregor et al. 2015, table 3): no captions.
    ///
    /// **Deviations** none known. As in the paper the initial states and the initial canvas are learned;
    /// the plain DRAW of alignDRAW's code has zeros there.
    pub fn plain_mnist() -> Self {
        Self {
            vocabulary_size: 0,
            height: 28,
            width: 28,
            channels: 1,
            word_size: 0,
            align_size: 0,
            encoder_size: 256,
            decoder_size: 256,
            latent_size: 100,
            read_size: 2,
            write_size: 5,
            num_steps: 64,
            initial_canvas: 0.0,
            conditioning: Conditioning::None,
            ..Self::mnist_captions()
        }
    }

    /// The paper's model for MS-COCO, 32×32 RGB: 33 098 147 parameters.
    pub fn coco() -> Self {
        Self {
            vocabulary_size: 25_323,
            height: 32,
            width: 32,
            channels: 3,
            encoder_size: 550,
            decoder_size: 550,
            latent_size: 275,
            read_size: 9,
            write_size: 9,
            initial_canvas: 0.0,
            ..Self::mnist_captions()
        }
    }

    /// The model for colour scenes, 64×64 RGB.
    pub fn scenes() -> Self {
        Self {
            vocabulary_size: 256,
            height: 64,
            width: 64,
            channels: 3,
            word_size: 128,
            align_size: 192,
            encoder_size: 200,
            decoder_size: 400,
            latent_size: 60,
            read_size: 8,
            write_size: 16,
            num_steps: 20,
            initial_canvas: 0.0,
            conditioning: Conditioning::Attention,
            initializer: Initializer::Scaled,
            attention_input: AttentionInput::WordsAndStates,
            write_mode: WriteMode::Composite,
            window_limits: vec![WindowLimit { after: 6, limit: 0.5 }, WindowLimit { after: 12, limit: 0.33 }],
            deviation: None,
        }
    }

    /// The model for some thousand photos, 32×32 RGB: the paper's alignDRAW for MS-COCO, smaller.
    pub fn photos() -> Self {
        Self {
            vocabulary_size: 2_500,
            word_size: 96,
            align_size: 128,
            encoder_size: 256,
            decoder_size: 256,
            latent_size: 64,
            num_steps: 16,
            initializer: Initializer::Scaled,
            attention_input: AttentionInput::WordsAndStates,
            ..Self::coco()
        }
    }

    /// A model small enough for gradient checks; every size differs from every other.
    pub fn tiny() -> Self {
        Self {
            vocabulary_size: 11,
            height: 6,
            width: 7,
            channels: 1,
            word_size: 3,
            align_size: 5,
            encoder_size: 6,
            decoder_size: 8,
            latent_size: 4,
            read_size: 2,
            write_size: 3,
            num_steps: 2,
            initial_canvas: -1.0,
            conditioning: Conditioning::Attention,
            initializer: Initializer::Scaled,
            attention_input: AttentionInput::States,
            write_mode: WriteMode::Add,
            window_limits: Vec::new(),
            deviation: None,
        }
    }
}
