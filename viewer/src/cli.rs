//! The command line of the desktop viewer.

use std::path::PathBuf;
use std::time::Duration;

use bevy::math::{DVec3, UVec2};
use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, ValueEnum};

use crate::camera::start_view::StartView;
use crate::rig::mode::Mode;
use crate::settings::{ColorBy, Settings};
use crate::stream::scans::Move;
use crate::view_address::View;

/// View the scans of a venue and walk through them.
#[derive(Parser, Clone, Debug)]
#[command(name = "parterre-viewer", version, after_help = AFTER_HELP)]
pub struct Arguments {
    /// Sources to open, shown together
    #[arg(
        value_name = "SOURCE",
        required = true,
        help = "Path of a tiles.3tz, or the address of a tileset.json, of a scan (http://host/api/scans/ID) or of its page (http://host/view/ID/1). \
                Several are shown together: those with the same coordinate reference system where it places them, the others in their own coordinates"
    )]
    pub sources: Vec<String>,
    /// Move source number N (1 is the first) by x,y,z metres, and turn it about its origin by degrees anticlockwise, seen from above; may be given for each source
    #[arg(long = "move", value_name = "N:x,y,z[,degrees]", value_parser = moved, allow_hyphen_values = true)]
    pub moves: Vec<(usize, Move)>,
    /// Draw one picture to this PNG file without opening a window, then exit
    #[arg(long, value_name = "FILE", group = "pictures")]
    pub screenshot: Option<PathBuf>,
    /// Draw a picture for each view in this JSON file, an array of {"name", "camera": [ex,ey,ez,tx,ty,tz]}, into the folder --output, then exit
    #[arg(long, value_name = "FILE", group = "pictures", requires = "output", conflicts_with_all = ["screenshot", "camera", "panel"])]
    pub views: Option<PathBuf>,
    /// Folder for the pictures of --views: NAME.png, and NAME.depth with the distances
    #[arg(long, value_name = "DIR", requires = "views")]
    pub output: Option<PathBuf>,
    /// Size of the picture or of the window, in pixels
    #[arg(long, value_name = "WxH", default_value = "1280x720", value_parser = size)]
    pub size: UVec2,
    /// Look from the eye ex,ey,ez at the target tx,ty,tz (frame of the first scan, metres, Z up); default: an overview of all
    #[arg(long, value_name = "ex,ey,ez,tx,ty,tz", value_parser = camera, allow_hyphen_values = true)]
    pub camera: Option<(DVec3, DVec3)>,
    /// The view as the address of the web viewer has it after the #: eye=x,y,z&target=x,y,z&mode=walk&color=height&cut=6
    #[arg(long, value_name = "TEXT", value_parser = view, conflicts_with_all = ["camera", "mode", "color", "cut_above", "views"])]
    pub view: Option<View>,
    /// How the camera moves at the start
    #[arg(long, value_enum, default_value = "orbit")]
    pub mode: ModeArgument,
    /// What the colour shows
    #[arg(long, value_enum, default_value = "rgb")]
    pub color: ColorArgument,
    /// Maximum number of points drawn; memory may limit it further
    #[arg(long, value_name = "POINTS", value_parser = clap::value_parser!(u64).range(1000..=1_000_000_000))]
    pub budget: Option<u64>,
    /// Factor on the size of points
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = factor, allow_negative_numbers = true)]
    pub point_size: f32,
    /// Hide points above this height (frame of the first scan, metres)
    #[arg(long, value_name = "METRES", value_parser = metres, allow_hyphen_values = true)]
    pub cut_above: Option<f64>,
    /// See into closed rooms from outside, in orbit and fly mode: leave out surfaces seen from behind, or cut the roof of a scan without normals
    #[arg(long, value_enum, value_name = "on|off", default_value = "on")]
    pub see_inside: Switch,
    /// Draw without edge shading (eye-dome lighting)
    #[arg(long)]
    pub no_edl: bool,
    /// Also show the panel in the picture
    #[arg(long, requires = "screenshot")]
    pub panel: bool,
    /// Time limit for a picture in seconds
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = clap::value_parser!(u64).range(1..=86400), requires = "pictures")]
    pub timeout: u64,
    /// Print what was drawn as one JSON document on stdout
    #[arg(long, requires = "pictures")]
    pub json: bool,
}

const AFTER_HELP: &str = "Exit codes: 0 success, 1 internal error, 2 wrong usage, 3 bad input, 4 storage or network error.";

/// Values of `--mode`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ModeArgument {
    /// Rotate around a point
    Orbit,
    /// Move freely
    Fly,
    /// Walk on the floor
    Walk,
}

/// Values of `--color`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ColorArgument {
    /// The scan's own colour
    Rgb,
    /// Strength of the returned pulse
    Intensity,
    /// Height
    Height,
}

/// Values of `--see-inside`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// Wanted
    On,
    /// Not wanted
    Off,
}

impl Arguments {
    /// Parses a command line, and checks what belongs together.
    pub fn parse_all<T: Into<std::ffi::OsString> + Clone>(arguments: impl IntoIterator<Item = T>) -> Result<Self, clap::Error> {
        let parsed = Self::try_parse_from(arguments)?;
        for (at, (number, _)) in parsed.moves.iter().enumerate() {
            let problem = if *number > parsed.sources.len() {
                format!("--move {number}:… is for source number {number}, and there are {}", parsed.sources.len())
            } else if parsed.moves[..at].iter().any(|(other, _)| other == number) {
                format!("--move {number}:… is given twice")
            } else {
                continue;
            };
            return Err(Self::command().error(ErrorKind::ValueValidation, problem));
        }
        Ok(parsed)
    }

    /// How a source is moved; its index counts from 0.
    pub fn move_of(&self, source: usize) -> Move {
        self.moves.iter().find(|(number, _)| *number == source + 1).map(|(_, moved)| *moved).unwrap_or_default()
    }

    /// The settings that the options give.
    pub fn settings(&self) -> Settings {
        let defaults = Settings::default();
        let mut settings = Settings {
            budget_points: self.budget.unwrap_or(defaults.budget_points),
            point_size: self.point_size.clamp(0.1, 10.0),
            color_by: match self.color {
                ColorArgument::Rgb => ColorBy::Rgb,
                ColorArgument::Intensity => ColorBy::Intensity,
                ColorArgument::Height => ColorBy::Height,
            },
            edl: !self.no_edl,
            cut_above_m: self.cut_above,
            see_inside: self.see_inside == Switch::On,
            ..defaults
        };
        if let Some(view) = &self.view {
            view.apply(&mut settings);
        }
        settings
    }

    /// The view that the options give.
    pub fn start_view(&self) -> StartView {
        let mode = match self.mode {
            ModeArgument::Orbit => Mode::Orbit,
            ModeArgument::Fly => Mode::Fly,
            ModeArgument::Walk => Mode::Walk,
        };
        match &self.view {
            Some(view) => StartView { look: view.look, mode: view.mode.unwrap_or_default() },
            None => StartView { look: self.camera, mode },
        }
    }

    /// Time limit for the picture.
    pub fn time_limit(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

fn size(text: &str) -> Result<UVec2, String> {
    let parse = |part: &str| part.trim().parse::<u32>().ok().filter(|pixels| (16..=8192).contains(pixels));
    text.split_once(['x', 'X', '×'])
        .and_then(|(width, height)| Some(UVec2::new(parse(width)?, parse(height)?)))
        .ok_or_else(|| "give width and height in pixels, 16 to 8192 each, like 1280x720".into())
}

fn factor(text: &str) -> Result<f32, String> {
    let factor = text.trim().parse().ok().filter(|factor: &f32| factor.is_finite() && *factor > 0.0);
    factor.ok_or_else(|| "give a number greater than 0".into())
}

fn metres(text: &str) -> Result<f64, String> {
    text.trim().parse().ok().filter(|metres: &f64| metres.is_finite()).ok_or_else(|| "give a height in metres".into())
}

fn camera(text: &str) -> Result<(DVec3, DVec3), String> {
    let numbers: Vec<f64> = text.split(',').filter_map(|part| part.trim().parse().ok()).filter(|number: &f64| number.is_finite()).collect();
    if let (&[ex, ey, ez, tx, ty, tz], 6) = (numbers.as_slice(), text.split(',').count()) {
        let (eye, target) = (DVec3::new(ex, ey, ez), DVec3::new(tx, ty, tz));
        if eye.distance(target) > 1e-6 {
            return Ok((eye, target));
        }
    }
    Err("give six numbers, ex,ey,ez,tx,ty,tz: two different positions, eye and target".into())
}

fn moved(text: &str) -> Result<(usize, Move), String> {
    let parse = || {
        let (number, rest) = text.split_once(':')?;
        let number = number.trim().parse().ok().filter(|number| *number > 0)?;
        let numbers: Option<Vec<f64>> =
            rest.split(',').map(|part| part.trim().parse().ok().filter(|number: &f64| number.is_finite())).collect();
        match *numbers? {
            [x, y, z] => Some((number, Move { by_m: DVec3::new(x, y, z), turn_rad: 0.0 })),
            [x, y, z, degrees] => Some((number, Move { by_m: DVec3::new(x, y, z), turn_rad: degrees.to_radians() })),
            _ => None,
        }
    };
    parse().ok_or_else(|| "give the number of a source, and three or four numbers: 2:10,0,0 or 2:10,0,0,90".into())
}

fn view(text: &str) -> Result<View, String> {
    let (view, problems) = View::parse(text);
    if problems.is_empty() { Ok(view) } else { Err(problems.join(" ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cameras_and_sizes_are_parsed_or_refused() {
        assert_eq!(camera("1,2,3.5,-4,5,6"), Ok((DVec3::new(1.0, 2.0, 3.5), DVec3::new(-4.0, 5.0, 6.0))));
        for text in ["", "1,2,3", "1,2,3,4,5,x", "1,2,3,1,2,3", "1,2,3,4,5,6,7", "1,2,3,4,5,inf"] {
            assert!(camera(text).is_err(), "{text}");
        }
        assert_eq!(size("640x360"), Ok(UVec2::new(640, 360)));
        for text in ["640", "0x10", "640x99999", "axb"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sources_are_moved_or_the_move_is_refused() {
        let parse = |moves: &[&str]| {
            let given = moves.iter().flat_map(|moved| ["--move", moved]);
            Arguments::parse_all(["parterre-viewer", "a.3tz", "b.3tz"].into_iter().chain(given))
        };
        let arguments = parse(&["2:-10,0.5,0,90"]).expect("a move");
        assert_eq!(arguments.sources, ["a.3tz", "b.3tz"]);
        assert_eq!(arguments.move_of(0), Move::default());
        assert_eq!(arguments.move_of(1), Move { by_m: DVec3::new(-10.0, 0.5, 0.0), turn_rad: std::f64::consts::FRAC_PI_2 });
        assert!(parse(&["1:1,2,3", "2:1,2,3"]).is_ok());
        for wrong in ["3:1,2,3", "0:1,2,3", "1:1,2", "1:1,2,3,4,5", "1:1,2,NaN", "x:1,2,3", "1,2,3", ""] {
            assert!(parse(&[wrong]).is_err(), "{wrong}");
        }
        assert!(parse(&["1:1,2,3", "1:3,2,1"]).is_err(), "one of them would be ignored");
    }

    #[test]
    fn numbers_that_are_not_finite_or_not_positive_are_refused() {
        assert_eq!((factor("1.5"), metres("-3")), (Ok(1.5), Ok(-3.0)));
        for text in ["NaN", "inf", "x", ""] {
            assert!(factor(text).is_err() && metres(text).is_err(), "{text}");
        }
        assert!(factor("0").is_err() && factor("-1").is_err());
    }

    #[test]
    fn a_view_is_taken_from_an_address_or_refused() {
        let parse = |view: &str| Arguments::try_parse_from(["parterre-viewer", "tiles.3tz", "--view", view]);
        let arguments = parse("http://host/view/a/1#eye=1,2,3&target=-4,5,6&mode=walk&color=height&cut=-2").expect("a view");
        assert_eq!(arguments.start_view().look, Some((DVec3::new(1.0, 2.0, 3.0), DVec3::new(-4.0, 5.0, 6.0))));
        assert_eq!(arguments.start_view().mode, Mode::Walk);
        assert_eq!((arguments.settings().color_by, arguments.settings().cut_above_m), (ColorBy::Height, Some(-2.0)));
        assert!(parse("eye=1,2,3").is_err() && parse("color=red").is_err());
        let both = ["parterre-viewer", "tiles.3tz", "--view", "mode=fly", "--mode", "walk"];
        assert!(Arguments::try_parse_from(both).is_err(), "one of them would be ignored");
    }

    #[test]
    fn a_complete_command_line_is_parsed() {
        let arguments = Arguments::try_parse_from([
            "parterre-viewer",
            "tiles.3tz",
            "--screenshot",
            "out.png",
            "--size",
            "320x200",
            "--camera",
            "-1,2,3,4,5,6",
            "--color",
            "height",
            "--no-edl",
            "--see-inside",
            "off",
        ])
        .expect("the command line is valid");
        let settings = arguments.settings();
        assert_eq!((settings.color_by, settings.edl, settings.see_inside), (ColorBy::Height, false, false));
        assert!(Settings::default().see_inside);
        assert_eq!(arguments.start_view().look.map(|(eye, _)| eye.x), Some(-1.0));
        assert!(Arguments::try_parse_from(["parterre-viewer"]).is_err());
        let views = ["parterre-viewer", "tiles.3tz", "--views", "views.json", "--output", "out", "--json", "--timeout", "9"];
        assert!(Arguments::try_parse_from(views).is_ok());
        for alone in ["--json", "--timeout=9"] {
            assert!(Arguments::try_parse_from(["parterre-viewer", "tiles.3tz", alone]).is_err(), "{alone} is for pictures");
        }
    }
}
