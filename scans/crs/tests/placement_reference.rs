//! Places on the Earth against the figures of PROJ, and what is said where a scan has none.

use glam::{DMat4, DVec3};
use parterre_crs::{Placement, unit_of_crs};
use parterre_model::frame::{Frame, Unit, UnitSource};
use parterre_model::points::Bounds;
use parterre_test_support::codes::code_of;

/// Positions in the system's unit, heights in metres, and what PROJ 9.5 (pyproj 3.7) makes of them in EPSG:4978, to 0.1 mm:
/// without grids, heights above the system's ellipsoid, and with the seven parameters that the list of definitions has.
type Reference = (&'static str, [([f64; 3], [f64; 3]); 3]);

#[rustfmt::skip]
#[expect(clippy::unreadable_literal, reason = "figures as they came")]
const REFERENCES: &[Reference] = &[
    // WGS 84 / UTM 31N.
    ("EPSG:32631", [
        ([453113.991, 5418760.016, 50.0], [4195616.5010, 172914.2803, 4784754.9802]),
        ([453513.991, 5418460.016, 80.0], [4195843.0914, 173326.6277, 4784582.5905]),
        ([450613.991, 5420560.016, 30.0], [4194366.2098, 170344.6003, 4785908.7096]),
    ]),
    // Lambert-93.
    ("EPSG:2154", [
        ([653098.459, 6869080.328, 50.0], [4195616.5010, 172914.2798, 4784754.9802]),
        ([653498.459, 6868780.328, 80.0], [4195843.1258, 173326.4100, 4784582.5683]),
        ([650598.459, 6870880.328, 30.0], [4194365.9636, 170345.9653, 4785908.8757]),
    ]),
    // ETRS89 / UTM 32N.
    ("EPSG:25832", [
        ([694600.292, 5344071.763, 50.0], [4170282.3801, 857553.1832, 4733247.1753]),
        ([695000.292, 5343771.763, 80.0], [4170452.4413, 857985.8193, 4733060.6891]),
        ([692100.292, 5345871.763, 30.0], [4169383.4981, 854880.3324, 4734487.0430]),
    ]),
    // Amersfoort / RD New.
    ("EPSG:28992", [
        ([124502.322, 480320.441, 50.0], [3893262.8330, 336508.5197, 5024039.8766]),
        ([124902.322, 480020.441, 80.0], [3893481.0815, 336930.7655, 5023881.6818]),
        ([122002.322, 482120.441, 30.0], [3892059.3840, 333883.8510, 5025114.5918]),
    ]),
    // NAD83 / Oregon Lambert, feet.
    ("EPSG:2992", [
        ([636891.185, 848943.515, 50.0], [-2505495.3953, -3847824.6188, 4412121.0828]),
        ([638203.521, 847959.263, 80.0], [-2505273.2030, -3848233.4689, 4411935.3607]),
        ([628689.085, 854849.026, 30.0], [-2506975.9197, -3845414.6569, 4413343.8015]),
    ]),
    // NAD83(2011) / UTM 10N.
    ("EPSG:6339", [
        ([494392.527, 4877428.637, 50.0], [-2505495.3956, -3847824.6183, 4412121.0831]),
        ([494792.527, 4877128.637, 80.0], [-2505285.3354, -3848235.8397, 4411926.4635]),
        ([491892.527, 4879228.637, 30.0], [-2506902.0243, -3845398.6198, 4413399.3752]),
    ]),
    // Web Mercator.
    ("EPSG:3857", [
        ([-11688546.533, 4828231.409, 50.0], [-1271125.5604, -4743905.1750, 4055861.0676]),
        ([-11688146.533, 4827931.409, 80.0], [-1270872.0789, -4744149.2520, 4055703.3143]),
        ([-11691046.533, 4830031.409, 30.0], [-1272752.1463, -4742539.2767, 4056909.6458]),
    ]),
    // GDA94 / MGA 55.
    ("EPSG:28355", [
        ([322207.561, 5812233.824, 50.0], [-4131402.4028, 2894988.8260, -3889711.6186]),
        ([322607.561, 5811933.824, 80.0], [-4131492.6100, 2894571.6310, -3889973.7671]),
        ([319707.561, 5814033.824, 30.0], [-4130907.8177, 2897646.7400, -3888234.6300]),
    ]),
    // TM75 / Irish Grid.
    ("EPSG:29903", [
        ([316558.575, 235823.201, 50.0], [3791996.1687, -415291.1212, 5094637.2421]),
        ([316958.575, 235523.201, 80.0], [3792303.6703, -414929.9966, 5094476.4943]),
        ([314058.575, 237623.201, 30.0], [3790232.7341, -417567.3356, 5095730.8874]),
    ]),
    // British National Grid.
    ("EPSG:27700", [
        ([519339.646, 185525.511, 50.0], [3973783.0938, -19419.7206, 4972314.1178]),
        ([519739.646, 185225.511, 80.0], [3974045.9613, -19028.0783, 4972145.2288]),
        ([516839.646, 187325.511, 30.0], [3972302.5018, -21870.0234, 4973453.5527]),
    ]),
    // Swiss LV95.
    ("EPSG:2056", [
        ([2601626.37, 1200991.539, 50.0], [4324094.1330, 566206.9651, 4638803.7143]),
        ([2602026.37, 1200691.539, 80.0], [4324279.9842, 566634.6421, 4638620.8022]),
        ([2599126.37, 1202791.539, 30.0], [4323099.6905, 563555.8703, 4640017.5092]),
    ]),
    // Belgian Lambert 72.
    ("EPSG:31370", [
        ([147273.653, 176184.454, 50.0], [4019568.1829, 304349.4726, 4926327.3993]),
        ([147673.653, 175884.454, 80.0], [4019788.8195, 304767.4996, 4926161.5700]),
        ([144773.653, 177984.454, 30.0], [4018352.0467, 301749.1963, 4927445.8277]),
    ]),
    // Krovak East North.
    ("EPSG:5514", [
        ([-743011.723, -1043823.181, 50.0], [3971897.3008, 1021293.1529, 4868582.7595]),
        ([-742611.723, -1044123.181, 80.0], [3971987.3308, 1021767.7306, 4868450.0042]),
        ([-745511.723, -1042023.181, 30.0], [3971490.8249, 1018377.7908, 4869492.5904]),
    ]),
    // California zone 5, US survey feet.
    ("EPSG:2229", [
        ([6488983.242, 1847943.301, 50.0], [-2502552.7172, -4659427.3594, 3552909.0746]),
        ([6490295.575, 1846959.051, 80.0], [-2502290.7110, -4659786.4353, 3552678.1504]),
        ([6480781.159, 1853848.801, 30.0], [-2504275.2866, -4657341.8496, 3554383.5577]),
    ]),
    // Gauss-Krueger zone 3.
    ("EPSG:31467", [
        ([3516975.823, 5405859.574, 50.0], [4155588.4231, 675291.5874, 4775281.6544]),
        ([3517375.823, 5405559.574, 80.0], [4155767.5768, 675725.0314, 4775105.7656]),
        ([3514475.823, 5407659.574, 30.0], [4154632.8070, 672609.0178, 4776456.9019]),
    ]),
    // WGS 84 / UTM 56S.
    ("EPSG:32756", [
        ([334416.394, 6251925.36, 50.0], [-4646595.5295, 2553431.5228, -3533589.7371]),
        ([334816.394, 6251625.36, 80.0], [-4646657.5798, 2553015.1987, -3533861.3261]),
        ([331916.394, 6253725.36, 30.0], [-4646291.7298, 2556081.1767, -3532047.4537]),
    ]),
    // Antarctic Polar Stereographic.
    ("EPSG:3031", [
        ([1613886.439, -284571.723, 50.0], [-287557.1962, 1630817.8988, -6138813.9786]),
        ([1614286.439, -284871.723, 80.0], [-287859.0233, 1631214.6137, -6138726.2880]),
        ([1611386.439, -282771.723, 30.0], [-285753.8870, 1628380.4247, -6139519.5916]),
    ]),
    // NAD83(2011) / Oregon Lambert, feet.
    ("EPSG:6557", [
        ([636891.185, 848943.515, 50.0], [-2505495.3953, -3847824.6188, 4412121.0828]),
        ([638203.521, 847959.263, 80.0], [-2505273.2030, -3848233.4689, 4411935.3607]),
        ([628689.085, 854849.026, 30.0], [-2506975.9197, -3845414.6569, 4413343.8015]),
    ]),
    // Japan zone I.
    ("EPSG:6669", [
        ([46879.661, -33156.702, 50.0], [-3453417.6767, 4115622.9231, 3426035.3214]),
        ([47279.661, -33456.702, 80.0], [-3453844.0910, 4115510.9687, 3425797.4590]),
        ([44379.661, -31356.702, 30.0], [-3450868.5132, 4116461.3157, 3427548.8579]),
    ]),
    // Finland TM35FIN.
    ("EPSG:3067", [
        ([385215.516, 6674370.776, 50.0], [2882591.6091, 1339889.4528, 5511074.4225]),
        ([385615.516, 6674070.776, 80.0], [2882658.7207, 1340372.0147, 5510957.5687]),
        ([382715.516, 6676170.776, 30.0], [2882305.3000, 1336937.9482, 5511912.0550]),
    ]),
    // ETRS89 / UTM 33N, far west of its zone.
    ("EPSG:25833", [
        ([-33183.543, 6735342.844, 50.0], [3144952.9377, 291748.4634, 5522668.8384]),
        ([-32783.543, 6735042.844, 80.0], [3145132.5562, 292205.4196, 5522577.7394]),
        ([-35683.543, 6737142.844, 30.0], [3143975.3571, 288917.0349, 5523346.5327]),
    ]),
    // Europe LAEA.
    ("EPSG:3035", [
        ([3973414.123, 3255560.626, 50.0], [3894347.8305, 333863.3812, 5023325.3793]),
        ([3973814.123, 3255260.626, 80.0], [3894543.9630, 334301.9810, 5023183.2808]),
        ([3970914.123, 3257360.626, 30.0], [3893282.0549, 331141.1459, 5024299.5929]),
    ]),
    // Poland CS92.
    ("EPSG:2180", [
        ([639247.796, 487955.398, 50.0], [3652972.5675, 1405171.6148, 5019239.8149]),
        ([639647.796, 487655.398, 80.0], [3653078.8080, 1405632.0359, 5019072.8980]),
        ([636747.796, 489755.398, 30.0], [3652459.8963, 1402349.9471, 5020368.8552]),
    ]),
];

fn frame(crs: &str) -> Frame {
    Frame {
        origin_m: DVec3::ZERO,
        unit: unit_of_crs(crs).unwrap_or_default(),
        vertical_unit: Some(Unit::Metre),
        unit_source: UnitSource::File,
        crs: Some(crs.to_owned()),
        ecef_from_tile: None,
    }
}

const SEA: &str = "vertical_datum_not_applied";
const SHIFT: &str = "datum_shift_not_applied";

fn codes(placement: &Placement) -> Vec<&'static str> {
    placement.warnings().iter().map(code_of).collect()
}

/// Largest distance from PROJ's places, in metres.
fn off(crs: &str, points: &[([f64; 3], [f64; 3])]) -> f64 {
    let middle = DVec3::from_array(points[0].0);
    let placement = Placement::new(&frame(crs), middle).expect("a unit of length");
    let matrix = placement.frame().ecef_from_tile.unwrap_or_else(|| panic!("{crs} is not on the Earth: {:?}", placement.warnings()));
    assert_eq!(placement.root_transform().map(f64::to_bits), matrix.map(f64::to_bits));
    let ecef_from_tile = DMat4::from_cols_array(&matrix);
    let mut positions: Vec<DVec3> = points.iter().map(|(position, _)| DVec3::from_array(*position)).collect();
    placement.tile_from_file(&mut positions);
    let distance =
        |(tile, (_, ecef)): (&DVec3, &([f64; 3], [f64; 3]))| ecef_from_tile.transform_point3(*tile).distance(DVec3::from_array(*ecef));
    positions.iter().zip(points).map(distance).fold(0.0, f64::max)
}

#[test]
fn positions_agree_with_proj() {
    let mut worst: f64 = 0.0;
    let mut wrong = Vec::new();
    for (crs, points) in REFERENCES {
        let off_m = off(crs, points);
        worst = worst.max(off_m);
        if off_m > 1e-3 {
            wrong.push(format!("{crs}: {off_m} m"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    eprintln!("{} systems, at most {:.3} mm off", REFERENCES.len(), worst * 1000.0);
}

/// The same systems as files name them: version 1 with heights, in ESRI's manner, and version 2, none with a code of its own.
#[test]
fn well_known_text_says_the_same_as_codes() {
    const OREGON_1: &str = r#"COMPD_CS["NAD83 / Oregon GIC Lambert (ft) + NAVD88 height",PROJCS["NAD83 / Oregon GIC Lambert (ft)",GEOGCS["NAD83",DATUM["North_American_Datum_1983",SPHEROID["GRS 1980",6378137,298.257222101]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Lambert_Conformal_Conic_2SP"],PARAMETER["latitude_of_origin",41.75],PARAMETER["central_meridian",-120.5],PARAMETER["standard_parallel_1",43],PARAMETER["standard_parallel_2",45.5],PARAMETER["false_easting",1312335.958],PARAMETER["false_northing",0],UNIT["foot",0.3048],AXIS["Easting",EAST],AXIS["Northing",NORTH]],VERT_CS["NAVD88 height",VERT_DATUM["North American Vertical Datum 1988",2005],UNIT["metre",1],AXIS["Gravity-related height",UP]]]"#;
    const OREGON_ESRI: &str = r#"PROJCS["NAD_1983_Oregon_Statewide_Lambert_Feet_Intl",GEOGCS["GCS_North_American_1983",DATUM["D_North_American_1983",SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Lambert_Conformal_Conic"],PARAMETER["False_Easting",1312335.958],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",-120.5],PARAMETER["Standard_Parallel_1",43.0],PARAMETER["Standard_Parallel_2",45.5],PARAMETER["Latitude_Of_Origin",41.75],UNIT["foot",0.3048]],VERTCS["NAVD_1988",VDATUM["North_American_Vertical_Datum_1988"],PARAMETER["Vertical_Shift",0.0],PARAMETER["Direction",1.0],UNIT["Meter",1.0]]"#;
    const OREGON_2: &str = r#"COMPOUNDCRS["NAD83 / Oregon GIC Lambert (ft) + NAVD88 height",PROJCRS["NAD83 / Oregon GIC Lambert (ft)",BASEGEOGCRS["NAD83",DATUM["North American Datum 1983",ELLIPSOID["GRS 1980",6378137,298.257222101,LENGTHUNIT["metre",1]]],PRIMEM["Greenwich",0,ANGLEUNIT["degree",0.0174532925199433]]],CONVERSION["Oregon GIC Lambert (international foot)",METHOD["Lambert Conic Conformal (2SP)",ID["EPSG",9802]],PARAMETER["Latitude of false origin",41.75,ANGLEUNIT["degree",0.0174532925199433],ID["EPSG",8821]],PARAMETER["Longitude of false origin",-120.5,ANGLEUNIT["degree",0.0174532925199433],ID["EPSG",8822]],PARAMETER["Latitude of 1st standard parallel",43,ANGLEUNIT["degree",0.0174532925199433],ID["EPSG",8823]],PARAMETER["Latitude of 2nd standard parallel",45.5,ANGLEUNIT["degree",0.0174532925199433],ID["EPSG",8824]],PARAMETER["Easting at false origin",1312335.958,LENGTHUNIT["foot",0.3048],ID["EPSG",8826]],PARAMETER["Northing at false origin",0,LENGTHUNIT["foot",0.3048],ID["EPSG",8827]]],CS[Cartesian,2],AXIS["easting (X)",east,ORDER[1],LENGTHUNIT["foot",0.3048]],AXIS["northing (Y)",north,ORDER[2],LENGTHUNIT["foot",0.3048]]],VERTCRS["NAVD88 height",VDATUM["North American Vertical Datum 1988"],CS[vertical,1],AXIS["gravity-related height (H)",up,LENGTHUNIT["metre",1]]]]"#;
    // No shift of its own: that of the geographic system that it names.
    const NETHERLANDS: &str = r#"PROJCS["Amersfoort / RD New",GEOGCS["Amersfoort",DATUM["Amersfoort",SPHEROID["Bessel 1841",6377397.155,299.1528128,AUTHORITY["EPSG","7004"]],AUTHORITY["EPSG","6289"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4289"]],PROJECTION["Oblique_Stereographic"],PARAMETER["latitude_of_origin",52.1561605555556],PARAMETER["central_meridian",5.38763888888889],PARAMETER["scale_factor",0.9999079],PARAMETER["false_easting",155000],PARAMETER["false_northing",463000],UNIT["metre",1,AUTHORITY["EPSG","9001"]],AXIS["Easting",EAST],AXIS["Northing",NORTH]]"#;
    for (wkt, code) in [(OREGON_1, "EPSG:2992"), (OREGON_ESRI, "EPSG:2992"), (OREGON_2, "EPSG:2992"), (NETHERLANDS, "EPSG:28992")] {
        assert_eq!(unit_of_crs(wkt), unit_of_crs(code), "{wkt}");
        let (_, points) = REFERENCES.iter().find(|(crs, _)| *crs == code).expect("a reference");
        let off_m = off(wkt, points);
        assert!(off_m < 1e-3, "{off_m} m off with {wkt}");
    }
}

#[test]
fn the_tile_frame_is_east_north_up_on_the_earth() {
    // On the equator at 3 degrees east, the middle of the zone: every direction is known.
    let placement = Placement::new(&frame("EPSG:32631"), DVec3::new(500_000.25, 0.75, 20.5)).expect("metres");
    assert_eq!(placement.frame().origin_m, DVec3::new(500_000.0, 0.0, 20.0));
    let matrix = DMat4::from_cols_array(&placement.root_transform());
    let (sin, cos) = 3.0_f64.to_radians().sin_cos();
    let expected = [DVec3::new(-sin, cos, 0.0), DVec3::Z, DVec3::new(cos, sin, 0.0), DVec3::new(cos, sin, 0.0) * (6_378_137.0 + 20.0)];
    for (column, expected) in [matrix.x_axis, matrix.y_axis, matrix.z_axis, matrix.w_axis].into_iter().zip(expected) {
        assert!(column.truncate().distance(expected) < 1e-6, "{column} is not {expected}");
    }
    let mut positions = [DVec3::new(500_000.0, 0.0, 20.0), DVec3::new(500_099.96, 0.0, 20.0), DVec3::new(500_000.0, 99.96, 25.0)];
    placement.tile_from_file(&mut positions);
    // A metre on the ground is 0.9996 m of the system.
    for (position, expected) in positions.into_iter().zip([DVec3::ZERO, DVec3::new(100.0, 0.0, 0.0), DVec3::new(0.0, 100.0, 5.0)]) {
        assert!(position.distance(expected) < 2e-3, "{position} is not {expected}");
    }
}

#[test]
fn axes_turn_with_the_meridian() {
    // East of the zone's middle, at 9 degrees, grid north lies east of north by (longitude - 9 degrees) times the sine of the latitude.
    let file = DVec3::new(694_600.0, 5_344_071.0, 50.0);
    let placement = Placement::new(&frame("EPSG:25832"), file).expect("metres");
    let mut ends = [file, file + DVec3::X * 100.0, file + DVec3::Y * 100.0, file + DVec3::Z * 100.0];
    placement.tile_from_file(&mut ends);
    let rotation = placement.rotation_at(file);
    for (axis, end) in [DVec3::X, DVec3::Y, DVec3::Z].into_iter().zip(&ends[1..]) {
        let direction = (*end - ends[0]).normalize();
        assert!((rotation * axis).distance(direction) < 1e-4, "{axis} points to {direction}");
    }
    let east = rotation * DVec3::X;
    assert!((east.y.atan2(east.x).to_degrees() + 1.954).abs() < 0.01, "{east}");
    let local = Placement::new(&Frame { crs: None, ..frame("EPSG:25832") }, file).expect("metres");
    assert!((local.rotation_at(file) * DVec3::X).distance(DVec3::X) < 1e-15);
}

#[test]
fn bounds_hold_what_they_are_of() {
    let middle = DVec3::new(694_600.0, 5_344_071.0, 520.0);
    let file = Bounds { min: middle - DVec3::new(900.0, 700.0, 5.0), max: middle + DVec3::new(800.0, 600.0, 40.0) };
    let placement = Placement::new(&frame("EPSG:25832"), middle).expect("metres");
    let bounds = placement.scan_bounds(file);
    let mut points: Vec<DVec3> = (0..=40)
        .flat_map(|i| (0..=40).map(move |j| DVec3::new(f64::from(i) / 40.0, f64::from(j) / 40.0, f64::from((i + j) % 2))))
        .map(|share| file.min + file.size() * share)
        .collect();
    placement.tile_from_file(&mut points);
    let mut tight = Bounds::EMPTY;
    for point in &points {
        let place = placement.frame().scan_from_tile(*point);
        assert!(bounds.contains(place), "{place} is not in {bounds:?}");
        tight.include(place);
    }
    assert!(tight.contains_box(bounds, DVec3::splat(0.1)), "{bounds:?} is much larger than {tight:?}");
    let local = Placement::new(&Frame { crs: None, ..frame("EPSG:25832") }, middle).expect("metres");
    assert_eq!(local.scan_bounds(file), file);
}

#[test]
fn a_point_has_one_place_whoever_asks() {
    let middle = DVec3::new(652_000.0, 6_862_000.0, 30.0);
    let placement = Placement::new(&frame("EPSG:2154"), middle).expect("metres");
    // Over more cells than a call keeps, and beyond those that are approximated.
    let points: Vec<DVec3> = (0..4000)
        .map(|i| {
            let i = f64::from(i);
            middle + DVec3::new((i * 37.71).sin() * 9_000.0, (i * 91.13).cos() * 7_000.0, (i * 0.37).sin() * 60.0)
        })
        .chain([middle + DVec3::X * 140_000.0])
        .collect();
    let mut all = points.clone();
    placement.tile_from_file(&mut all);
    let restored = Placement::restore(placement.frame()).expect("metres");
    assert_eq!(restored.frame(), placement.frame());
    std::thread::scope(|scope| {
        for start in 0..4 {
            let (points, all, restored) = (&points, &all, &restored);
            scope.spawn(move || {
                for index in (start..points.len()).step_by(4).rev() {
                    let mut one = [points[index]];
                    restored.tile_from_file(&mut one);
                    assert_eq!(one[0], all[index], "point {index}");
                }
            });
        }
    });
}

#[test]
fn what_is_no_number_stays_none() {
    let placement = Placement::new(&frame("EPSG:3857"), DVec3::new(-8_242_600.0, 4_966_600.0, 0.0)).expect("metres");
    let mut positions = [DVec3::splat(f64::NAN), DVec3::splat(f64::INFINITY), DVec3::new(1.0, f64::NEG_INFINITY, 0.0), DVec3::splat(1e300)];
    placement.tile_from_file(&mut positions);
    assert!(positions[..3].iter().all(|position| !position.is_finite()), "{positions:?}");
}

#[test]
fn a_scan_that_lies_nowhere_keeps_its_metres() {
    let at_home = DVec3::new(12.5, -7.25, 3.0);
    let paris = DVec3::new(652_000.5, 6_862_000.5, 30.0);
    let local = |crs: Option<&str>, middle: DVec3| {
        let frame = Frame { crs: crs.map(str::to_owned), vertical_unit: None, ..frame("") };
        let placement = Placement::new(&frame, middle).expect("metres");
        assert_eq!(placement.frame().ecef_from_tile, None, "{crs:?}");
        let DVec3 { x, y, z } = middle.floor();
        assert_eq!(placement.root_transform()[12..], [x, y, z, 1.0]);
        let mut positions = [middle + DVec3::splat(0.125)];
        placement.tile_from_file(&mut positions);
        assert_eq!(positions[0], middle - middle.floor() + DVec3::splat(0.125));
        codes(&placement)
    };
    assert!(local(None, at_home).is_empty());
    assert!(local(Some(r#"LOCAL_CS["site",UNIT["metre",1]]"#), at_home).is_empty());
    assert_eq!(local(Some("EPSG:65000"), paris), ["crs_unknown"]);
    assert_eq!(local(Some("PROJCS[\"x\"]"), paris), ["crs_unknown"]);
    // Geographic, and geocentric.
    assert_eq!(local(Some("EPSG:4326"), paris), ["crs_unknown"]);
    assert_eq!(local(Some("EPSG:4978"), paris), ["crs_unknown"]);
    // Coordinates of a site under a national system's name, and of another planet.
    assert_eq!(local(Some("EPSG:32631"), at_home), ["crs_out_of_area"]);
    assert_eq!(local(Some("EPSG:2154"), at_home), ["crs_out_of_area"]);
    assert_eq!(local(Some("EPSG:32631"), DVec3::new(9e7, 3e9, 0.0)), ["crs_out_of_area"]);
    assert_eq!(local(Some("EPSG:32631"), DVec3::new(500_000.5, 5_400_000.5, 1e6)), ["crs_out_of_area"]);
}

#[test]
fn uncertain_positions_are_reported() {
    let warnings = |crs: &str, x: f64, y: f64| {
        let placement = Placement::new(&frame(crs), DVec3::new(x, y, 50.0)).expect("a unit of length");
        assert!(placement.frame().ecef_from_tile.is_some(), "{crs}: {:?}", placement.warnings());
        codes(&placement)
    };
    assert_eq!(warnings("EPSG:2154", 652_000.0, 6_862_000.0), [SEA]);
    assert_eq!(warnings("EPSG:28992", 125_000.0, 480_000.0), [SEA]);
    // Massachusetts on the datum of 1927, whose shift is a grid; an unknown datum.
    assert_eq!(warnings("EPSG:26719", 330_000.0, 4_690_000.0), [SHIFT, SEA]);
    let unknown = r#"PROJCS["x",GEOGCS["y",DATUM["z",SPHEROID["Bessel 1841",6377397.155,299.1528128]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",9],PARAMETER["scale_factor",1],PARAMETER["false_easting",3500000],PARAMETER["false_northing",0],UNIT["metre",1]]"#;
    assert_eq!(warnings(unknown, 3_517_000.0, 5_406_000.0), [SHIFT, SEA]);
    // Heights above the ellipsoid need nothing.
    let ellipsoid = r#"COMPD_CS["x",PROJCS["y",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",3],PARAMETER["scale_factor",0.9996],PARAMETER["false_easting",500000],PARAMETER["false_northing",0],UNIT["metre",1]],VERT_CS["Ellipsoid",VERT_DATUM["Ellipsoid",2002],UNIT["metre",1],AXIS["Up",UP]]]"#;
    assert!(warnings(ellipsoid, 453_113.0, 5_418_760.0).is_empty());
}

#[test]
fn feet_go_by_what_the_file_says() {
    // The same place in feet, in metres, and with heights in feet of their own.
    let metres = DVec3::new(195_000.0, 277_000.0, 120.0);
    let place = |unit: Unit, vertical_unit: Option<Unit>| {
        let length = unit.metres().expect("a length");
        let height = vertical_unit.and_then(Unit::metres).unwrap_or(length);
        let frame = Frame { unit, vertical_unit, unit_source: UnitSource::User, ..frame("EPSG:2992") };
        let file = metres / DVec3::new(length, length, height);
        let placement = Placement::new(&frame, file).expect("a length");
        let mut position = [file];
        placement.tile_from_file(&mut position);
        DMat4::from_cols_array(&placement.root_transform()).transform_point3(position[0])
    };
    let expected = place(Unit::Metre, None);
    for (unit, vertical) in [(Unit::Foot, None), (Unit::Foot, Some(Unit::UsSurveyFoot)), (Unit::UsSurveyFoot, Some(Unit::Metre))] {
        let place = place(unit, vertical);
        assert!(place.distance(expected) < 1e-5, "{place} is not {expected}");
    }
}
