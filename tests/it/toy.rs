//! A painter of a few lines, known to no registry, goes through everything that is generic: it trains, is
//! saved and read, paints and is evaluated. `docs/architecture.md` tells its steps.

use std::sync::Arc;

use aligndraw::checkpoint::{Precision, decode, encode, float_tensors, parse_safetensors};
use aligndraw::data::batch::TrainBatch;
use aligndraw::data::mnist::Mnist;
use aligndraw::data::mnist_captions::{self, Bans, Scenes};
use aligndraw::data::source::{DataSet, Source};
use aligndraw::error::{Error, Result};
use aligndraw::eval::bound::Estimate;
use aligndraw::kernels::window::{Rect, Window};
use aligndraw::model::{
    CaptionIds, Config, Drawing, ImageSize, OnCpu, Painter, Shown, Shows, Terms, TextToImage, Trainable,
};
use aligndraw::options::{OptimizerKind, Schedule, TrainOptions};
use aligndraw::paint::{Frame, Pipeline};
use aligndraw::train::{Compute, Data, Signals, Start, restore, train};
use burn::module::{Module, Param};
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

/// A picture is the sum of its words' pictures.
#[derive(Module, Debug)]
struct BagOfPictures {
    /// Logits of a word [word, pixel].
    words: Param<Tensor<2>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BagConfig {
    vocabulary_size: usize,
    side: usize,
}

impl Config for BagConfig {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn image_size(&self) -> ImageSize {
        ImageSize { channels: 1, height: self.side, width: self.side }
    }

    fn vocabulary_size(&self) -> usize {
        self.vocabulary_size
    }

    fn fit_data(&mut self, words: usize, _: Option<ImageSize>) {
        self.vocabulary_size = self.vocabulary_size.max(words);
    }

    fn memory_bytes(&self) -> u64 {
        4 * (self.vocabulary_size * self.side * self.side) as u64
    }
}

impl BagOfPictures {
    /// Logits [batch, pixel].
    fn logits(&self, ids: &[usize], batch: usize) -> Tensor<2> {
        let words = self.words.val();
        let numbers: Vec<i64> = ids.iter().map(|&id| id as i64).collect();
        let ids = Tensor::<1, Int>::from_data(TensorData::new(numbers, [ids.len()]), &words.device());
        let [_, pixels] = words.dims();
        words.select(0, ids).reshape([batch as i32, -1, pixels as i32]).sum_dim(1).squeeze_dim(1)
    }
}

impl Trainable for BagOfPictures {
    type Config = BagConfig;

    fn init(config: &BagConfig, _: u64, device: &Device) -> Self {
        Self {
            words: Param::from_tensor(Tensor::zeros(
                [config.vocabulary_size, config.side * config.side],
                device,
            )),
        }
    }

    fn term_names(_: &BagConfig) -> Vec<&'static str> {
        vec!["reconstruction"]
    }

    fn terms(&self, _: &BagConfig, item: &TrainBatch) -> Terms<Tensor<1>> {
        let batch = item.batch.len();
        let logits = self.logits(&item.batch.ids, batch);
        let images = Tensor::<2>::from_data(
            TensorData::new(item.batch.images.to_vec(), logits.dims()),
            &logits.device(),
        );
        let softplus = logits.clone().clamp_min(0.0) + (logits.clone().abs().neg().exp() + 1.0).log();
        Terms(vec![("reconstruction", (softplus - images * logits).sum_dim(1).squeeze_dim(1))])
    }
}

impl TextToImage for BagOfPictures {
    fn painter(self, config: &BagConfig, _: &Device) -> Box<dyn Painter> {
        Box::new(BagPainter(Arc::new(self), config.clone()))
    }
}

struct BagPainter(Arc<BagOfPictures>, BagConfig);

impl Painter for BagPainter {
    fn image_size(&self) -> ImageSize {
        self.1.image_size()
    }

    fn num_steps(&self) -> usize {
        1
    }

    fn shows(&self) -> Shows {
        Shows { attention: false, window: false, branch: false, frame: false }
    }

    fn noise_len(&self) -> usize {
        0
    }

    fn begin(&self, captions: &CaptionIds, _: Vec<f32>) -> Result<Box<dyn Drawing>> {
        Ok(Box::new(BagDrawing(self.0.clone(), captions.clone())))
    }

    fn window(&self, _: usize, _: &[f32]) -> (Window, Rect) {
        unreachable!("it shows no window")
    }
}

struct BagDrawing(Arc<BagOfPictures>, CaptionIds);

impl Drawing for BagDrawing {
    fn step(&mut self) -> Result<Shown> {
        let images = sigmoid(self.0.logits(&self.1.ids, self.1.batch));
        Ok(Shown { images: images.into(), alignment: None, windows: None })
    }

    fn branch(&self, _: usize, _: usize, _: &CaptionIds, _: Vec<f32>) -> Result<Box<dyn Drawing>> {
        Err(Error::Config("a bag of pictures is drawn in one step: there is nothing to branch from".into()))
    }
}

fn options() -> TrainOptions<BagConfig> {
    TrainOptions {
        preset: "bag".into(),
        augmentation: None,
        data: DataSet::MnistCaptions,
        config: BagConfig { vocabulary_size: 23, side: 60 },
        started_from: None,
        seed: 1,
        held_out_seed: 1,
        batch_size: 20,
        batches_per_epoch: 20,
        epochs: 3,
        validation_images: 40,
        optimizer: OptimizerKind::Adam,
        learning_rate: 0.05,
        schedule: Schedule::Cosine { warmup: 1, constant_until: 0.5 },
        clip: 10.0,
        average_decay: 0.5,
        temperature: 1.0,
        step_curriculum: None,
        patience: None,
    }
}

#[test]
fn a_model_that_no_registry_knows_trains_is_saved_paints_and_is_evaluated() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist");
    let read = |name: &str| std::fs::read(folder.join(name)).map_err(|e| Error::Data(e.to_string()));
    let mnist = Mnist::load(read).expect("MNIST is committed");
    let source: Arc<dyn Source> = Arc::new(Scenes::new(Arc::new(mnist.train), Bans::draw(1)));
    let data = Data { train: source.clone(), validation: source.clone() };
    let (options, run) = (options(), tempfile::tempdir().expect("a temporary folder"));
    let device = Device::flex();
    let fresh = BagOfPictures::init(&options.config, 1, &device);
    let bound = |model: &BagOfPictures| {
        let mut on_cpu = OnCpu::new(model, &options.config, 1);
        let mut estimate = Estimate { model: &mut on_cpu, images: 50, seed: 3, importance: 0 };
        estimate.over(|size, noise| Some(source.batch(size, noise))).expect("images").bound
    };
    let before = bound(&fresh);

    let compute = Compute { devices: vec![device.clone()], fused_threads: Some(2) };
    let start = Start::Weights(Box::new(fresh));
    let outcome = train(&options, start, data, run.path(), &compute, &Signals::default()).expect("it trains");
    assert_eq!((outcome.epochs, outcome.stopped, outcome.skipped), (3, false, 0));
    let after = bound(&outcome.model);
    assert!(after > 0.5 * before, "the bound rises from {before} to {after}");

    let (restored, epoch) = restore::<BagOfPictures>(&options, run.path()).expect("a checkpoint");
    assert_eq!((epoch, float_tensors(&restored)), (3, float_tensors(&outcome.model)));
    let bytes = encode(&outcome.model, Precision::Half).expect("it is written");
    let file = parse_safetensors(&bytes).expect("safetensors");
    assert_eq!(file.names(), ["words"]);
    let read = decode(BagOfPictures::init(&options.config, 9, &device), &file).expect("it is read");

    let vocabulary = mnist_captions::vocabulary();
    let pipeline = Pipeline::new(read.painter(&options.config, &device), vocabulary.clone(), 1.0);
    let mut pictures = pipeline.begin(&vocabulary.example, &[1, 2]).expect("a caption");
    let frames = pollster::block_on(pipeline.step(&mut pictures)).expect("a step").expect("the first");
    let Frame { image, alignment, window, rect, .. } = &frames[0];
    assert!(image.len() == 3600 && image.iter().all(|x| (0.0..=1.0).contains(x)));
    assert!(alignment.is_none() && window.is_none() && rect.is_none());
    assert!(pollster::block_on(pipeline.step(&mut pictures)).expect("no error").is_none());
    let refused = pipeline.branch(&pictures, 0, 1, &vocabulary.example, 3).err().expect("refused");
    assert!(refused.to_string().contains("nothing to branch from"), "{refused}");
}
