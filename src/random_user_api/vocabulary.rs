//! The words that do not depend on a nationality: time zones, and what logins are made of.

use super::names::Words;

/// The offsets and descriptions that the API chooses from. They are unrelated to the person's country and coordinates.
#[rustfmt::skip]
pub const TIME_ZONES: &[(&str, &str)] = &[
    ("-12:00", "Eniwetok, Kwajalein"),
    ("-11:00", "Midway Island, Samoa"),
    ("-10:00", "Hawaii"),
    ("-9:00", "Alaska"),
    ("-8:00", "Pacific Time (US & Canada)"),
    ("-7:00", "Mountain Time (US & Canada)"),
    ("-6:00", "Central Time (US & Canada), Mexico City"),
    ("-5:00", "Eastern Time (US & Canada), Bogota, Lima"),
    ("-4:00", "Atlantic Time (Canada), Caracas, La Paz"),
    ("-3:30", "Newfoundland"),
    ("-3:00", "Brazil, Buenos Aires, Georgetown"),
    ("-2:00", "Mid-Atlantic"),
    ("-1:00", "Azores, Cape Verde Islands"),
    ("0:00", "Western Europe Time, London, Lisbon, Casablanca"),
    ("+1:00", "Brussels, Copenhagen, Madrid, Paris"),
    ("+2:00", "Kaliningrad, South Africa"),
    ("+3:00", "Baghdad, Riyadh, Moscow, St. Petersburg"),
    ("+3:30", "Tehran"),
    ("+4:00", "Abu Dhabi, Muscat, Baku, Tbilisi"),
    ("+4:30", "Kabul"),
    ("+5:00", "Ekaterinburg, Islamabad, Karachi, Tashkent"),
    ("+5:30", "Bombay, Calcutta, Madras, New Delhi"),
    ("+5:45", "Kathmandu"),
    ("+6:00", "Almaty, Dhaka, Colombo"),
    ("+7:00", "Bangkok, Hanoi, Jakarta"),
    ("+8:00", "Beijing, Perth, Singapore, Hong Kong"),
    ("+9:00", "Tokyo, Seoul, Osaka, Sapporo, Yakutsk"),
    ("+9:30", "Adelaide, Darwin"),
    ("+10:00", "Eastern Australia, Guam, Vladivostok"),
    ("+11:00", "Magadan, Solomon Islands, New Caledonia"),
];

#[rustfmt::skip]
pub const ADJECTIVES: Words = &["amber", "ancient", "blue", "brave", "bright", "calm", "clever", "cosmic", "crimson", "curious", "dapper", "eager", "fearless", "fluffy", "gentle", "giddy", "golden", "grumpy", "happy", "hasty", "humble", "jolly", "lazy", "lucky", "mellow", "misty", "nimble", "noisy", "orange", "patient", "proud", "purple", "quick", "quiet", "rapid", "rusty", "shiny", "silent", "silver", "sleepy", "snowy", "spotted", "striped", "sunny", "swift", "tall", "tidy", "tiny", "velvet", "violet", "wandering", "whimsical", "wild", "wise", "witty", "yellow", "young", "zany"];

#[rustfmt::skip]
pub const ANIMALS: Words = &["albatross", "antelope", "badger", "bat", "beaver", "bison", "buffalo", "camel", "cheetah", "cobra", "crane", "crow", "dingo", "dolphin", "eagle", "falcon", "ferret", "finch", "frog", "gazelle", "gecko", "giraffe", "gull", "hamster", "hare", "hawk", "hedgehog", "heron", "ibex", "iguana", "jackal", "jaguar", "kiwi", "koala", "lemur", "lizard", "llama", "lynx", "magpie", "marten", "mole", "moose", "newt", "otter", "owl", "panther", "pelican", "puffin", "raven", "salmon", "seal", "sparrow", "squid", "stork", "toad", "trout", "viper", "walrus", "weasel", "yak"];

/// Passwords that people choose: one is empty, some are all digits, some hold punctuation.
#[rustfmt::skip]
pub const PASSWORDS: Words = &["", "000111", "123qwe", "19751975", "246813", "7777777", "abacus1", "airplane", "alibaba", "anchor", "apples!", "archer", "autumn", "banana1", "bassoon", "bigfoot", "biscuit", "blizzard", "bluemoon", "bookworm", "bronco", "bumblebee", "camera", "candle", "carrot", "cascade", "cello", "cherries", "chess", "cinnamon", "cobalt", "compass", "cookie?", "corvette", "cricket", "crystal", "daisy", "desert", "diesel", "dragonfly", "drummer", "dynamo", "echo", "eclipse", "emerald", "espresso", "falcons", "fender", "fireball", "flower", "fortune", "galaxy", "garnet", "ginger", "glacier", "goalie", "gondola", "guitar1", "harbour", "harvest", "hello.world", "horizon", "icecream", "indigo", "island", "jasper", "jigsaw", "jupiter", "kettle", "lantern", "lavender", "legend", "letmein2", "lighthouse", "magnet", "maple", "marble", "meadow", "mercury", "midnight", "monsoon", "mountain", "mustang", "nebula", "nectar", "oatmeal", "ocean", "october", "orchid", "p@ssword", "paprika", "pebble", "penguin", "pepper", "piano", "pickle", "picnic", "piglet", "qwerty", "rainbow", "redwood", "river#1", "rocket", "saffron", "sandman", "saturn", "scooter", "shadow", "shamrock", "snowball", "sparky", "starfish", "sunrise", "thunder", "tomato", "topaz", "trumpet", "turtle", "vanilla", "volcano", "walnut", "willow", "winter", "xylophone", "yellow1", "zeppelin"];
