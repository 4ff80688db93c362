use aligndraw::{data::{mnist::Mnist, mnist_captions::*, noise::Noise}, text2image::align_draw::{*, cpu::*}};
fn main() {
    let mnist = Mnist::load("data/mnist".as_ref()).unwrap();
    let config = AlignDrawConfig { initializer: Initializer::Scaled, ..AlignDrawConfig::mnist_captions() };
    let host = Host::init(&config, 1);
    let bans = Bans::draw(1);
    println!("{bans:?}");
    let scenes = Scenes::new(&mnist.train);
    let mut noise = Noise::new(3);
    let threads: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let mut shards: Vec<Shard> = (0..threads).map(|_| Shard::default()).collect();
    for i in 0..6 {
        let t0 = std::time::Instant::now();
        let batch = scenes.batch(&bans, 100, &mut noise);
        let t1 = t0.elapsed();
        let w = Weights::new(&config, host.clone());
        let t2 = t0.elapsed();
        let (l, _g) = loss_and_gradients(&w, &batch, i, 1.0, &mut shards);
        println!("{l:?} data {t1:?} pack {t2:?} all {:?}", t0.elapsed());
    }
}
