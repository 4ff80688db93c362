//! The judge of colour scenes: a small convolutional network that names what it sees.

mod spoiled;
mod training;

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::{relu, softmax};
use burn::tensor::{Device, Tensor, TensorData};

use super::share::Share;
use crate::checkpoint::{self, Precision};
use crate::data::noise::Noise;
use crate::data::scene_pictures::{CANVAS, ScenePictures};
use crate::data::scenes::{Colour, Number, Object, Place, Relation, Scene, Size};
use crate::error::Result;
use crate::nn::floats;

pub use spoiled::spoiled;
pub use training::{JudgeTraining, train};

/// Floats of an image.
const IMAGE: usize = 3 * CANVAS * CANVAS;
/// Images of a batch.
const BATCH: usize = 50;
/// Cells along each side of the last features.
const CELLS: usize = 8;
const FEATURES: usize = 128;
/// About the log odds that some object is in a picture, negated.
const SELDOM: f32 = 3.5;
const OBJECTS: usize = Object::ALL.len();
const COLOURS: usize = Colour::ALL.len();
/// How the object that stands first in the catalogue lies to the other of two.
const RELATIONS: [Relation; 6] = Relation::ALL;

/// The columns of the logits: a softmax each, but for the objects, of which each is there or not. The
/// relation is of the two objects that the caption names.
const PLACE: std::ops::Range<usize> = 0..Place::ALL.len();
const OBJECT: std::ops::Range<usize> = PLACE.end..PLACE.end + OBJECTS;
const NUMBER: std::ops::Range<usize> = OBJECT.end..OBJECT.end + Number::ALL.len();
const SIZE: std::ops::Range<usize> = NUMBER.end..NUMBER.end + Size::ALL.len();
const RELATION: std::ops::Range<usize> = SIZE.end..SIZE.end + RELATIONS.len();
/// A softmax for each object.
const COLOUR: std::ops::Range<usize> = RELATION.end..RELATION.end + OBJECTS * COLOURS;

/// What a picture shows, or what a caption asks for: one label for each factor that is said.
#[derive(Clone, Debug, Default, PartialEq)]
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

/// Five convolutions. Objects and colours are looked for in every cell of the last features, so that
/// what is learned in one place holds in all; an object's colour is that of the cells where it is seen,
/// and how two lie to each other follows from where those cells are. Dense layers tell the rest.
#[derive(Module, Debug)]
pub struct SceneJudge {
    conv1: Conv2d,
    conv2: Conv2d,
    conv3: Conv2d,
    conv4: Conv2d,
    conv5: Conv2d,
    object: Linear,
    colour: Linear,
    squeeze: Linear,
    dense: Linear,
    scene: Linear,
    offset: Linear,
    relation: Linear,
}

/// For each of a batch of pictures the two objects whose relation is asked for: 1 for the first in the
/// catalogue and −1 for the other, [picture, object].
fn pairs<'a>(labels: impl Iterator<Item = &'a Labels>) -> Vec<f32> {
    let mut pairs = Vec::new();
    for labels in labels {
        let mut row = vec![0.0; OBJECTS];
        if let (Some(_), [first, second]) = (labels.relation, labels.objects.as_slice()) {
            row[*first] = 1.0;
            row[*second] = -1.0;
        }
        pairs.extend(row);
    }
    pairs
}

fn best(logits: &[f32]) -> usize {
    (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap_or(0)
}

impl SceneJudge {
    /// Fresh weights from the device's generator.
    pub fn init(device: &Device) -> Self {
        let conv = |channels, kernel: usize, stride| {
            let padding = kernel / 2;
            Conv2dConfig::new(channels, [kernel, kernel])
                .with_stride([stride, stride])
                .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
                .init(device)
        };
        let dense = |from, to| LinearConfig::new(from, to).init(device);
        let global = PLACE.len() + NUMBER.len() + SIZE.len();
        Self {
            conv1: conv([3, 24], 5, 2),
            conv2: conv([24, 48], 3, 2),
            conv3: conv([48, 96], 3, 2),
            conv4: conv([96, FEATURES], 3, 1),
            conv5: conv([FEATURES, FEATURES], 3, 1),
            object: dense(FEATURES, OBJECTS),
            colour: dense(FEATURES, COLOURS),
            squeeze: dense(FEATURES, 16),
            dense: dense(16 * CELLS * CELLS, 128),
            scene: dense(128, global),
            offset: dense(2, 24),
            relation: dense(24, RELATIONS.len()),
        }
    }

    /// What is seen in every cell of images [batch, 3, 64, 64] in [0, 1]: [batch, cell, feature].
    fn features(&self, images: Tensor<4>) -> Tensor<3> {
        let [batch, ..] = images.dims();
        let features = relu(self.conv1.forward(images * 2.0 - 1.0));
        let features = relu(self.conv2.forward(features));
        let features = relu(self.conv3.forward(features));
        let features = relu(self.conv4.forward(features));
        let features = relu(self.conv5.forward(features));
        features.reshape([batch, FEATURES, CELLS * CELLS]).swap_dims(1, 2)
    }

    /// The mean over the cells of what is seen of each picture [picture, 3, 64, 64], for the Fréchet distance:
    /// rows of 128.
    pub fn mean_features(&self, pixels: &[f32], device: &Device) -> Vec<Vec<f32>> {
        let mut rows = Vec::with_capacity(pixels.len() / IMAGE);
        for pixels in pixels.chunks(BATCH * IMAGE) {
            let images = TensorData::new(pixels.to_vec(), [pixels.len() / IMAGE, 3, CANVAS, CANVAS]);
            let means = self.features(Tensor::from_data(images, device)).mean_dim(1);
            rows.extend(floats(means.into_data()).chunks_exact(FEATURES).map(<[f32]>::to_vec));
        }
        rows
    }

    /// Logits of every factor of images [batch, 3, 64, 64] in [0, 1]; `pairs` [batch, object] names the
    /// two objects of the relation.
    pub fn forward(&self, images: Tensor<4>, pairs: Tensor<2>) -> Tensor<2> {
        let [batch, ..] = images.dims();
        let device = images.device();
        let cells = CELLS * CELLS;
        let features = self.features(images);

        // [batch, object, cell]: where each object is seen, and how clearly at best.
        let seen = self.object.forward(features.clone()).swap_dims(1, 2);
        // Log of the mean of the cells' odds: unlike their maximum it teaches every cell. An object is seldom
        // there, which the weights need not learn.
        let most = seen.clone().max_dim(2);
        let mean = (seen.clone() - most.clone()).exp().mean_dim(2).log() + most;
        let objects = mean.squeeze_dim::<2>(2) - SELDOM;
        let looked = softmax(seen, 2);
        let colours = looked.clone().matmul(self.colour.forward(features.clone()));
        let places: Vec<f32> = (0..cells)
            .flat_map(|cell| [cell % CELLS, cell / CELLS])
            .map(|at| at as f32 / CELLS as f32 - 0.5)
            .collect();
        let places = Tensor::<1>::from_floats(places.as_slice(), &device).reshape([1, cells, 2]);
        let centres = looked.matmul(places.repeat_dim(0, batch));
        let offset = pairs.reshape([batch, 1, OBJECTS]).matmul(centres).squeeze_dim::<2>(1);
        let relation = self.relation.forward(relu(self.offset.forward(offset)));

        let squeezed = relu(self.squeeze.forward(features)).flatten::<2>(1, 2);
        let scene = self.scene.forward(relu(self.dense.forward(squeezed)));
        let (places, rest) = (PLACE.len(), NUMBER.len() + SIZE.len());
        Tensor::cat(
            vec![
                scene.clone().narrow(1, 0, places),
                objects,
                scene.narrow(1, places, rest),
                relation,
                colours.flatten::<2>(1, 2),
            ],
            1,
        )
    }

    /// Whether each picture shows what its scene says; `pixels` is [scene, 3, 64, 64].
    pub fn judge(&self, scenes: &[Scene], pixels: &[f32], device: &Device) -> Vec<Verdict> {
        self.read(scenes, pixels, device, verdict)
    }

    /// Whether exactly the objects of its scene are recognised in each picture: by a hardened judge, which may
    /// recognise nothing.
    pub fn recognised(&self, scenes: &[Scene], pixels: &[f32], device: &Device) -> Vec<bool> {
        self.read(scenes, pixels, device, |labels, row| recognised(row) == labels.objects)
    }

    /// Hands the labels of each scene and the logits of its picture on.
    fn read<T>(
        &self,
        scenes: &[Scene],
        pixels: &[f32],
        device: &Device,
        of: impl Fn(&Labels, &[f32]) -> T,
    ) -> Vec<T> {
        let mut found = Vec::with_capacity(scenes.len());
        for (scenes, pixels) in scenes.chunks(BATCH).zip(pixels.chunks(BATCH * IMAGE)) {
            let labels: Vec<Labels> = scenes.iter().map(Labels::of).collect();
            let images = TensorData::new(pixels.to_vec(), [scenes.len(), 3, CANVAS, CANVAS]);
            let pairs = TensorData::new(pairs(labels.iter()), [scenes.len(), OBJECTS]);
            let logits = self.forward(Tensor::from_data(images, device), Tensor::from_data(pairs, device));
            let logits = floats(logits.into_data());
            found.extend(labels.iter().zip(logits.chunks_exact(COLOUR.end)).map(|(l, row)| of(l, row)));
        }
        found
    }

    /// In how many of some spoiled pictures nothing is recognised.
    pub fn refused(
        &self,
        pictures: &ScenePictures,
        count: usize,
        noise: &mut Noise,
        device: &Device,
    ) -> Share {
        let mut refused = Share::default();
        let nothing = Tensor::zeros([1, OBJECTS], device);
        for _ in 0..count {
            let pixels = TensorData::new(spoiled(pictures, noise), [1, 3, CANVAS, CANVAS]);
            let logits = self.forward(Tensor::from_data(pixels, device), nothing.clone());
            refused.add(recognised(&floats(logits.into_data())).is_empty());
        }
        refused
    }

    /// The weights as a safetensors file in half precision.
    ///
    /// **Errors** [`crate::error::Error::Model`].
    pub fn encode(&self) -> Result<Vec<u8>> {
        checkpoint::encode(self, Precision::Half)
    }

    /// The weights from a safetensors file.
    ///
    /// **Errors** [`crate::error::Error::Model`], naming the tensor that is missing or of another shape.
    pub fn decode(bytes: &[u8], device: &Device) -> Result<Self> {
        checkpoint::decode(Self::init(device), &checkpoint::parse_safetensors(bytes)?)
    }
}

/// The objects that are more likely there than not, of one row of logits.
fn recognised(row: &[f32]) -> Vec<usize> {
    (0..OBJECTS).filter(|&object| row[OBJECT][object] > 0.0).collect()
}

/// The verdict of one row of logits.
fn verdict(labels: &Labels, row: &[f32]) -> Verdict {
    let is = |columns: std::ops::Range<usize>, label: usize| best(&row[columns]) == label;
    // What is more likely there than not; and the likeliest, since every scene has an object.
    let likeliest = best(&row[OBJECT]);
    let there = |object: usize| row[OBJECT][object] > 0.0 || object == likeliest;
    let shown: Vec<usize> = (0..OBJECTS).filter(|&object| there(object)).collect();
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

#[cfg(test)]
mod tests {
    use burn::module::Param;

    use super::*;
    use crate::data::scenes::Bans;

    /// A judge that sees some objects in whatever it is shown.
    fn that_sees(objects: &[usize], device: &Device) -> SceneJudge {
        let mut judge = SceneJudge::init(device);
        let mut odds = [-10.0; OBJECTS];
        objects.iter().for_each(|&object| odds[object] = 10.0);
        judge.object.weight = Param::from_tensor(Tensor::zeros([FEATURES, OBJECTS], device));
        judge.object.bias = Some(Param::from_tensor(Tensor::from_floats(odds, device)));
        judge
    }

    #[test]
    fn what_is_recognised_is_exactly_the_objects_or_nothing() {
        let device = Device::flex();
        let pictures = ScenePictures::new(Bans::draw(1));
        let mut noise = Noise::new(8);
        // More than a batch.
        let scenes: Vec<Scene> = (0..BATCH + 3).map(|_| Scene::sample(&mut noise)).collect();
        let pixels: Vec<f32> = scenes.iter().flat_map(|scene| pictures.paint(scene, &mut noise)).collect();
        let objects = Labels::of(&scenes[0]).objects;
        let expected: Vec<bool> = scenes.iter().map(|scene| Labels::of(scene).objects == objects).collect();
        assert_eq!(that_sees(&objects, &device).recognised(&scenes, &pixels, &device), expected);
        let nothing = that_sees(&[], &device);
        assert_eq!(nothing.recognised(&scenes, &pixels, &device), vec![false; scenes.len()]);
    }

    #[test]
    fn spoiled_pictures_are_refused_by_a_judge_that_sees_nothing() {
        let device = Device::flex();
        let pictures = ScenePictures::new(Bans::draw(1));
        let refused = |objects: &[usize]| {
            that_sees(objects, &device).refused(&pictures, 8, &mut Noise::new(2), &device)
        };
        assert_eq!((refused(&[]).percent(), refused(&[3]).percent()), (100.0, 0.0));
    }
}
