//! A flag for each key, made from the list of keys.

use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches};

use super::keys::{KEYS, Key};

/// The keys given as flags, with their values.
#[derive(Clone, Debug, Default)]
pub(crate) struct SettingFlags(pub(crate) Vec<(&'static str, String)>);

/// Keys that every command has a flag for; they are among [`crate::args::Globals`].
const GLOBAL: [&str; 2] = ["addr", "merchant"];

fn own_keys() -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(|key| !GLOBAL.contains(&key.name))
}

impl Args for SettingFlags {
    fn augment_args(command: Command) -> Command {
        command.args(own_keys().map(|key| {
            let default = key.shown(&mut super::Settings::default());
            let help = format!("{} [default: {default}]", key.help);
            Arg::new(key.name).long(key.flag()).value_name("VALUE").help(help).help_heading("Settings")
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given =
            own_keys().filter_map(|key| Some((key.name, matches.get_one::<String>(key.name)?.clone())));
        Ok(Self(given.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
