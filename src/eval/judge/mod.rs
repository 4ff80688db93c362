//! The judge of colour scenes: a small convolutional network that names what it sees.

mod training;

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};

use super::module_file;
use crate::data::scene_pictures::CANVAS;
use crate::data::scenes::{Colour, Number, Object, Place, Relation, Scene, Size};
use crate::error::Result;
use crate::text2image::align_draw::floats;

pub use training::train;

/// Floats of an image.
const IMAGE: usize = 3 * CANVAS * CANVAS;
/// Images of a batch.
const BATCH: usize = 100;
const OBJECTS: usize = Object::ALL.len();
const COLOURS: usize = Colour::ALL.len();
/// How the object that stands first in the catalogue lies to the other of two.
const RELATIONS: [Relation; 6] = Relation::ALL;

/// The columns of the logits: a softmax each, but for the objects, of which each is there or not.
const PLACE: std::ops::Range<usize> = 0..Place::ALL.len();
const OBJECT: std::ops::Range<usize> = PLACE.end..PLACE.end + OBJECTS;
const NUMBER: std::ops::Range<usize> = OBJECT.end..OBJECT.end + Number::ALL.len();
const SIZE: std::ops::Range<usize> = NUMBER.end..NUMBER.end + Size::ALL.len();
const RELATION: std::ops::Range<usize> = SIZE.end..SIZE.end + RELATIONS.len();
/// A softmax for each object.
const COLOUR: std::ops::Range<usize> = RELATION.end..RELATION.end + OBJECTS * COLOURS;

/// What a picture shows, or what a caption asks for: one label for each factor that is said.
#[derive(Clone, Debug, PartialEq)]
pub struct Labels {
    /// The place.
    pub place: usize,
    /// Which objects are there.
    pub objects: Vec<usize>,
    /// The colour of each object that has one said.
    pub colours: Vec<(usize, usize)>,
    /// How many, of a single kind of object.
    pub number: Option<usize>,
    /// How large, of a single object.
    pub size: Option<usize>,
    /// Of two kinds, how the first in the catalogue lies to the other.
    pub relation: Option<usize>,
}

impl Labels {
    /// The labels of a scene.
    pub fn of(scene: &Scene) -> Self {
        let things = &scene.things;
        let single = things.len() == 1;
        let mut objects: Vec<usize> = things.iter().map(|thing| thing.object as usize).collect();
        objects.sort_unstable();
        let colour =
            |thing: &crate::data::scenes::Thing| Some((thing.object as usize, thing.colour? as usize));
        let relation = scene.relation.filter(|_| things.len() == 2).map(|relation| {
            let swapped = things[0].object > things[1].object;
            match (relation, swapped) {
                (Relation::Beside | Relation::LeftOf, false) | (Relation::RightOf, true) => Relation::LeftOf,
                (Relation::Beside | Relation::LeftOf, true) | (Relation::RightOf, false) => Relation::RightOf,
                (Relation::Above, false) | (Relation::Below, true) => Relation::Above,
                (Relation::Above, true) | (Relation::Below, false) => Relation::Below,
                (Relation::On, false) => Relation::On,
                // The other stands on it.
                (Relation::On, true) => Relation::Beside,
            }
        });
        Self {
            place: scene.place as usize,
            objects,
            colours: things.iter().filter_map(colour).collect(),
            number: single.then(|| things[0].number as usize),
            size: (single && things[0].number == Number::One).then(|| things[0].size as usize),
            relation: relation.map(|relation| relation as usize),
        }
    }
}

/// For each factor that a caption says, whether a picture shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The place.
    pub place: bool,
    /// Exactly the objects.
    pub object: bool,
    /// All colours.
    pub colour: Option<bool>,
    /// How many.
    pub number: Option<bool>,
    /// How large.
    pub size: Option<bool>,
    /// How two lie to each other.
    pub relation: Option<bool>,
}

/// Four convolutions of stride 2, two dense layers.
#[derive(Module, Debug)]
pub struct SceneJudge {
    conv1: Conv2d,
    conv2: Conv2d,
    conv3: Conv2d,
    conv4: Conv2d,
    dense1: Linear,
    dense2: Linear,
}

const NAMES: [&str; 12] = [
    "conv1.weight",
    "conv1.bias",
    "conv2.weight",
    "conv2.bias",
    "conv3.weight",
    "conv3.bias",
    "conv4.weight",
    "conv4.bias",
    "dense1.weight",
    "dense1.bias",
    "dense2.weight",
    "dense2.bias",
];

fn best(logits: &[f32]) -> usize {
    (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap_or(0)
}

impl SceneJudge {
    /// Fresh weights from the device's generator.
    pub fn init(device: &Device) -> Self {
        let conv = |channels, kernel: usize| {
            let padding = kernel / 2;
            Conv2dConfig::new(channels, [kernel, kernel])
                .with_stride([2, 2])
                .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
                .init(device)
        };
        Self {
            conv1: conv([3, 32], 5),
            conv2: conv([32, 64], 3),
            conv3: conv([64, 96], 3),
            conv4: conv([96, 128], 3),
            dense1: LinearConfig::new(128 * 4 * 4, 384).init(device),
            dense2: LinearConfig::new(384, COLOUR.end).init(device),
        }
    }

    /// Logits of every factor of images [batch, 3, 64, 64] in [0, 1].
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let features = relu(self.conv1.forward(images * 2.0 - 1.0));
        let features = relu(self.conv2.forward(features));
        let features = relu(self.conv3.forward(features));
        let features = relu(self.conv4.forward(features));
        self.dense2.forward(relu(self.dense1.forward(features.flatten::<2>(1, 3))))
    }

    /// Whether each picture shows what its scene says; `pixels` is [scene, 3, 64, 64].
    pub fn judge(&self, scenes: &[Scene], pixels: &[f32], device: &Device) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(scenes.len());
        for (scenes, pixels) in scenes.chunks(BATCH).zip(pixels.chunks(BATCH * IMAGE)) {
            let images = TensorData::new(pixels.to_vec(), [scenes.len(), 3, CANVAS, CANVAS]);
            let logits = floats(self.forward(Tensor::from_data(images, device)).into_data());
            let rows = logits.chunks_exact(COLOUR.end);
            verdicts.extend(scenes.iter().zip(rows).map(|(scene, row)| verdict(&Labels::of(scene), row)));
        }
        verdicts
    }

    /// The weights as a safetensors file in half precision.
    ///
    /// **Errors** [`crate::error::Error::Model`].
    pub fn encode(&self) -> Result<Vec<u8>> {
        module_file::encode(self, &NAMES)
    }

    /// The weights from a safetensors file.
    ///
    /// **Errors** [`crate::error::Error::Model`], naming the tensor that is missing or of another shape.
    pub fn decode(bytes: &[u8], device: &Device) -> Result<Self> {
        module_file::decode(Self::init(device), &NAMES, bytes)
    }
}

/// The verdict of one row of logits.
fn verdict(labels: &Labels, row: &[f32]) -> Verdict {
    let is = |columns: std::ops::Range<usize>, label: usize| best(&row[columns]) == label;
    let shown: Vec<usize> = (0..OBJECTS).filter(|&object| row[OBJECT][object] > 0.0).collect();
    let colour =
        |&(object, colour): &(usize, usize)| best(&row[COLOUR][object * COLOURS..][..COLOURS]) == colour;
    Verdict {
        place: is(PLACE, labels.place),
        object: shown == labels.objects,
        colour: (!labels.colours.is_empty()).then(|| labels.colours.iter().all(colour)),
        number: labels.number.map(|number| is(NUMBER, number)),
        size: labels.size.map(|size| is(SIZE, size)),
        relation: labels.relation.map(|relation| is(RELATION, relation)),
    }
}
