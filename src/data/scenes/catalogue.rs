//! The objects, colours and places, and the words for them.

use serde::{Deserialize, Serialize};

/// The colours that an object can be said to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Colour {
    Red,
    Orange,
    Yellow,
    Green,
    Blue,
    Purple,
    Pink,
    Brown,
    Black,
    White,
}

use Colour::*;

impl Colour {
    /// All colours.
    pub const ALL: [Self; 10] = [Red, Orange, Yellow, Green, Blue, Purple, Pink, Brown, Black, White];

    /// The word.
    pub fn word(self) -> &'static str {
        ["red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white"]
            [self as usize]
    }
}

/// What is painted: cars, buses, toys, cloth.
const PAINTED: &[Colour] = &[Red, Orange, Yellow, Green, Blue, Purple, Pink, Black, White];
/// Coats of animals.
const COATS: &[Colour] = &[Brown, Black, White];
/// Fruit.
const FRUIT: &[Colour] = &[Red, Yellow, Green];
/// Nothing is said of its colour.
const OWN: &[Colour] = &[];

/// Where a scene plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    ClearSky,
    RainySky,
    SunsetSky,
    NightSky,
    Sun,
    DryGrass,
    GreenGrass,
    Desert,
    Forest,
    Beach,
    Sea,
    Snow,
    Street,
    ParkingLot,
    Mountains,
    Table,
    LivingRoom,
    Bathroom,
}

use Place::*;

impl Place {
    /// All places.
    pub const ALL: [Self; 18] = [
        ClearSky, RainySky, SunsetSky, NightSky, Sun, DryGrass, GreenGrass, Desert, Forest, Beach, Sea, Snow,
        Street, ParkingLot, Mountains, Table, LivingRoom, Bathroom,
    ];
    /// The skies.
    pub const SKIES: [Self; 4] = [ClearSky, RainySky, SunsetSky, NightSky];

    /// Whether it is a sky, where everything flies.
    pub fn is_sky(self) -> bool {
        Self::SKIES.contains(&self)
    }

    /// The phrases that say it. The ones that begin with "across" go with walking alone.
    pub fn phrases(self) -> &'static [&'static str] {
        match self {
            ClearSky => &[
                "in clear skies",
                "in the clear sky",
                "in blue skies",
                "in a clear blue sky",
                "in the blue sky",
            ],
            RainySky => &["in rainy skies", "in the rainy sky", "in a rainy sky"],
            SunsetSky => &["in the sky at sunset", "in the sunset sky"],
            NightSky => &["in the night sky", "in the sky at night"],
            Sun => &["on the sun", "on the hot sun"],
            DryGrass => &["in a dry grass field", "in the dry field", "across a dry grass field"],
            GreenGrass => &[
                "in a green grass field",
                "on the green grass",
                "in the grass field",
                "across a green grass field",
            ],
            Desert => &["in the desert", "in a sandy desert", "in the hot desert", "across the desert"],
            Forest => &["in the forest", "in a dark forest", "in the woods"],
            Beach => &["on the beach", "on a beach", "on a sandy beach", "at the beach"],
            Sea => &["in the sea", "in the ocean", "on the water"],
            Snow => &["in the snow", "in deep snow", "on the snow"],
            Street => &["on the street", "on a city street", "on the road"],
            ParkingLot => &["in a parking lot", "in the parking lot"],
            Mountains => &["in the mountains", "near a mountain", "in front of the mountains"],
            Table => &["on the table", "on a table", "on a wooden table"],
            LivingRoom => &["in the living room", "in a living room"],
            Bathroom => &["in the bathroom", "in a bathroom"],
        }
    }
}

/// What an object is like, which decides what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Vehicle,
    Flyer,
    Boat,
    Animal,
    Grazer,
    Person,
    Surfer,
    Item,
}

const SKY: &[Place] = &Place::SKIES;
const LAND: &[Place] = &[DryGrass, GreenGrass, Desert, Forest, Beach, Snow, Mountains];
const ROAD: &[Place] = &[Street, ParkingLot];
const HOME: &[Place] = &[LivingRoom, Bathroom];
const WATER: &[Place] = &[Sea];
const BOARD: &[Place] = &[Table];
const HEAT: &[Place] = &[Sun];

macro_rules! objects {
    ($($name:ident: $kind:ident $colours:ident [$($places:ident),+] $first:literal / $firsts:literal $(, $other:literal / $others:literal)*;)+) => {
        /// The objects.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Object { $($name,)+ }

        impl Object {
            /// All objects.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// What it is like.
            pub fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)+ }
            }

            /// The colours it can be said to have.
            pub fn colours(self) -> &'static [Colour] {
                match self { $(Self::$name => $colours,)+ }
            }

            /// Where it can be.
            pub fn places(self) -> Vec<Place> {
                match self { $(Self::$name => [$($places,)+].concat(),)+ }
            }

            /// Its nouns, of one and of several; the first is the plainest.
            pub fn nouns(self) -> &'static [(&'static str, &'static str)] {
                match self { $(Self::$name => &[($first, $firsts), $(($other, $others),)*],)+ }
            }
        }
    };
}

objects! {
    Bus: Vehicle PAINTED [SKY, LAND, ROAD] "bus" / "buses", "school bus" / "school buses";
    Car: Vehicle PAINTED [SKY, LAND, ROAD, HEAT] "car" / "cars";
    Truck: Vehicle PAINTED [LAND, ROAD] "truck" / "trucks";
    Train: Vehicle PAINTED [SKY, LAND, HEAT] "train" / "trains";
    Airplane: Flyer PAINTED [SKY, ROAD, LAND] "airplane" / "airplanes", "plane" / "planes", "commercial airplane" / "commercial airplanes", "commercial plane" / "commercial planes";
    Helicopter: Flyer PAINTED [SKY, ROAD, LAND] "helicopter" / "helicopters";
    Motorcycle: Vehicle PAINTED [LAND, ROAD] "motorcycle" / "motorcycles";
    Boat: Boat PAINTED [WATER, SKY] "boat" / "boats", "sailboat" / "sailboats";
    Bicycle: Vehicle OWN [LAND, ROAD] "bicycle" / "bicycles", "bike" / "bikes";
    StopSign: Item OWN [LAND, ROAD, SKY] "stop sign" / "stop signs";
    TrafficLight: Item OWN [ROAD, LAND] "traffic light" / "traffic lights";
    Dog: Animal COATS [LAND, ROAD, HOME, HEAT] "dog" / "dogs";
    Cat: Animal COATS [SKY, LAND, ROAD, HOME, BOARD, HEAT] "cat" / "cats";
    Horse: Grazer COATS [LAND, ROAD] "horse" / "horses";
    Sheep: Grazer COATS [SKY, LAND, ROAD] "sheep" / "sheep";
    Cow: Grazer OWN [SKY, LAND, ROAD] "cow" / "cows";
    Elephant: Grazer OWN [SKY, LAND, ROAD, WATER] "elephant" / "elephants";
    Bear: Animal COATS [LAND, WATER] "bear" / "bears";
    Giraffe: Grazer OWN [LAND, ROAD] "giraffe" / "giraffes";
    Zebra: Grazer OWN [LAND, ROAD] "zebra" / "zebras";
    Bird: Flyer PAINTED [SKY, LAND, WATER, HEAT] "bird" / "birds";
    Surfer: Surfer OWN [WATER, LAND, HEAT] "surfer" / "surfers";
    Woman: Person OWN [LAND, ROAD, HOME, HEAT] "woman" / "women";
    Child: Person OWN [SKY, LAND, ROAD, HOME, HEAT] "child" / "children";
    Person: Person OWN [SKY, LAND, ROAD, HOME, HEAT] "man" / "people", "person" / "people";
    Umbrella: Item PAINTED [SKY, LAND, ROAD, HEAT] "umbrella" / "umbrellas";
    Kite: Flyer PAINTED [SKY, LAND, WATER, HEAT] "kite" / "kites";
    Ball: Item PAINTED [SKY, LAND, ROAD, WATER, HOME, HEAT] "ball" / "balls";
    Skateboard: Item PAINTED [ROAD, LAND, HOME] "skateboard" / "skateboards";
    Bananas: Item OWN [BOARD, LAND, HOME] "bowl of bananas" / "bowls of bananas";
    Cake: Item OWN [BOARD, LAND, HOME] "cake" / "cakes", "birthday cake" / "birthday cakes";
    Dessert: Item OWN [BOARD, LAND, HOME] "chocolate desert" / "chocolate deserts", "decadent chocolate desert" / "decadent chocolate deserts";
    Pizza: Item OWN [BOARD, SKY, HOME, LAND] "pizza" / "pizzas";
    Apple: Item FRUIT [BOARD, LAND, HOME, HEAT] "apple" / "apples";
    Cup: Item PAINTED [BOARD, LAND, HOME] "cup" / "cups";
    Bottle: Item PAINTED [BOARD, LAND, HOME, WATER] "bottle" / "bottles";
    Chair: Item PAINTED [HOME, LAND, ROAD, HEAT] "chair" / "chairs";
    Bed: Item PAINTED [HOME, LAND, SKY, WATER] "bed" / "beds";
    Couch: Item PAINTED [HOME, LAND, ROAD] "couch" / "couches", "sofa" / "sofas";
    Toilet: Item OWN [HOME, ROAD, LAND] "toilet" / "toilets", "toilet seat" / "toilet seats";
    Clock: Item PAINTED [BOARD, HOME, LAND, SKY] "clock" / "clocks";
    Book: Item PAINTED [BOARD, HOME, LAND, SKY] "book" / "books";
    TeddyBear: Item COATS [BOARD, HOME, LAND, SKY] "teddy bear" / "teddy bears";
    Flower: Item PAINTED [BOARD, HOME, LAND] "flower" / "flowers";
    House: Item PAINTED [LAND, ROAD, HEAT, SKY] "house" / "houses";
}

impl Object {
    /// Where it is when nothing is said of a place: where one would look for it, else the first of its places, a sky
    /// only for what flies.
    pub fn home(self) -> Place {
        use Object::*;
        match self {
            Bus | Car | Truck | Motorcycle | Bicycle | StopSign => Street,
            Dog | Horse | Sheep | Cow | Woman | Child | Person | Ball | House => GreenGrass,
            Cat | TeddyBear => LivingRoom,
            Toilet => Bathroom,
            Bear => Forest,
            Umbrella => Beach,
            _ => {
                let places = self.places();
                let flies = self.kind() == Kind::Flyer;
                places.iter().copied().find(|place| flies || !place.is_sky()).unwrap_or(places[0])
            }
        }
    }

    /// What several of it are called: a herd or a group.
    pub fn collective(self) -> &'static str {
        if self.kind() == Kind::Grazer { "herd" } else { "group" }
    }

    /// Whether something can stand on it.
    pub fn carries(self) -> bool {
        use Object::*;
        matches!(self, Bed | Couch | Chair | Skateboard | Truck | Elephant | Horse | Boat | Book)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_at_home_where_they_can_be() {
        for object in Object::ALL {
            assert!(object.places().contains(&object.home()), "{object:?}");
        }
        assert_eq!(
            [Object::Cat, Object::Kite, Object::Pizza].map(Object::home),
            [LivingRoom, ClearSky, Table]
        );
    }
}
