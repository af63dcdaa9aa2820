"""test-copc.py PARTERRE WORK FILE...: tiles each file to COPC and checks the result with laspy and copclib.

Checks for each file: every input point is in the output exactly once, with the same integer coordinates and with its attributes
converted to point formats 6 to 8 (docs/formats.md); the header's counts and bounds match the points; queries of both readers by
resolution and by position find exactly the points computed here; the root has the spacing that the file declares; and
no level leaves large areas empty that finer levels fill.
"""

import io
import json
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import copclib
import laspy
import numpy as np

# Files may be refused with these codes; any other code is a failure.
REFUSED = {"unit_degrees", "size_implausible"}
# Largest allowed share of points in cells that are empty in the coarser levels. Largest values of the test data: sim/duplex-sim.laz
# 0.5521 %, copc/lone-star.copc.laz 0.1725 %; all others have 0.
HOLES = 0.006
# Test files with random coordinates that are not on the Earth.
RANDOM_COORDINATES = {"pdrf6", "pdrf8", "pdrf9", "pdrf10"}


class Wrong(Exception):
    """A check that failed."""


def check(condition, message):
    if not condition:
        raise Wrong(message)


def mapped(points):
    """One row of bytes per point: the attributes of a file, converted to point formats 6 to 8."""
    header, raw = points.header, points.points.array
    legacy = header.point_format.id < 6
    names = raw.dtype.names
    columns = [np.ascontiguousarray(raw[axis]).astype("<i4") for axis in "XYZ"]
    columns.append(raw["intensity"].astype("<u2"))
    columns.append((np.asarray(points.return_number) | np.asarray(points.number_of_returns) << 4).astype("u1"))
    classes = np.asarray(points.classification).astype("u1")
    flags = (
        np.asarray(points.synthetic).astype("u1")
        | np.asarray(points.key_point).astype("u1") << 1
        | np.asarray(points.withheld).astype("u1") << 2
        | np.asarray(points.scan_direction_flag).astype("u1") << 6
        | np.asarray(points.edge_of_flight_line).astype("u1") << 7
    )
    if legacy:
        overlap = classes == 12
        flags |= overlap.astype("u1") << 3
        classes[overlap] = 1
        angle = np.round(raw["scan_angle_rank"].astype("f8") / 0.006).astype("<i2")
    else:
        flags |= np.asarray(points.overlap).astype("u1") << 3 | np.asarray(points.scanner_channel).astype("u1") << 4
        angle = raw["scan_angle"].astype("<i2")
    columns += [flags, classes, raw["user_data"], angle, raw["point_source_id"].astype("<u2")]
    time = raw["gps_time"].astype("<f8") if "gps_time" in names else np.zeros(len(raw), "<f8")
    columns.append(np.where(np.isfinite(time), time, 0.0))
    if "red" in names:
        color = np.stack([raw[name] for name in ("red", "green", "blue")], axis=1).astype("<u2")
        largest = int(color.max(initial=0))
        near = raw["nir"].astype("<u2") if "nir" in names else None
        if largest > 0 or (near is not None and near.max(initial=0) > 0):
            columns.append(color * 257 if 1 <= largest <= 255 else color)
            if near is not None:
                columns.append(near)
    columns += [raw[name] for name in header.point_format.extra_dimension_names]
    rows = [np.ascontiguousarray(column).view("u1").reshape(len(raw), -1) for column in columns]
    return np.ascontiguousarray(np.hstack(rows))


def in_order(rows):
    """The rows sorted by all their bytes, most significant first."""
    padded = np.zeros((len(rows), -(-rows.shape[1] // 8) * 8), "u1")
    padded[:, : rows.shape[1]] = rows
    return rows[np.lexsort(padded.view(">u8").T[::-1])]


def read_input(path):
    """The points as laspy reads them; if the header announces too many points, those that exist."""
    data = bytearray(path.read_bytes())
    compressed, length = data[104] & 0x80, struct.unpack_from("<H", data, 105)[0]
    if not compressed and data[25] < 4:
        room = (len(data) - struct.unpack_from("<I", data, 96)[0]) // length
        if struct.unpack_from("<I", data, 107)[0] > room:
            struct.pack_into("<I", data, 107, room)
            return laspy.read(io.BytesIO(bytes(data)))
    return laspy.read(path)


def check_points(source, out):
    check(np.array_equal(source.header.scales, out.header.scales), f"scales {source.header.scales} became {out.header.scales}")
    check(np.array_equal(source.header.offsets, out.header.offsets), f"offsets {source.header.offsets} became {out.header.offsets}")
    wanted, found = mapped(source), mapped(out)
    check(wanted.shape == found.shape, f"{wanted.shape} points and bytes became {found.shape}")
    wanted, found = in_order(wanted), in_order(found)
    same = (wanted == found).all(axis=1)
    check(same.all(), f"{(~same).sum()} points differ, the first: {wanted[~same][:1].tolist()} {found[~same][:1].tolist()}")
    kept = [d.name for d in source.point_format.extra_dimensions if not d.name.lower().startswith("extrabytes")]
    new = [d.name for d in out.point_format.extra_dimensions]
    check(kept == new[: len(kept)], f"extra dimensions {kept} became {new}")


def check_header(path, out):
    header = out.header
    check(str(header.version) == "1.4" and header.point_format.id in (6, 7, 8), f"{header.version} {header.point_format}")
    check(header.point_count == len(out.points), "the count of points")
    returns = np.bincount(np.asarray(out.return_number), minlength=16)[1:16]
    check(np.array_equal(header.number_of_points_by_return, returns), "counts by return")
    xyz = np.stack([out.X, out.Y, out.Z], axis=1)
    corners = xyz.min(axis=0) * header.scales + header.offsets, xyz.max(axis=0) * header.scales + header.offsets
    check(np.array_equal(header.mins, corners[0]) and np.array_equal(header.maxs, corners[1]), "bounds")
    head = path.read_bytes()[: 375 + 54 + 160]
    check(head[377:381] == b"copc" and not any(head[375 + 54 + 72 :]), "the info record at byte 375")
    wkt = [vlr for vlr in list(header.vlrs) + list(header.evlrs or []) if vlr.record_id == 2112]
    check(len(wkt) == 1 and wkt[0].record_data_bytes().rstrip(b"\0").endswith(b"]"), "one WKT record")


def check_laspy(path, out):
    """Compares queries of laspy with the points themselves. Returns the number of points per level."""
    with laspy.CopcReader.open(path) as reader:
        info = reader.copc_info
        check(len(reader.query()) == len(out.points), "laspy's query of all")
        by_level, level = [], 0
        while sum(by_level) < len(out.points):
            check(level <= 30, f"levels hold {sum(by_level)} of {len(out.points)} points")
            by_level.append(len(reader.query(level=level)))
            level += 1
        for level in range(len(by_level)):
            found = len(reader.query(resolution=info.spacing / 2**level))
            check(found == sum(by_level[: level + 1]), f"laspy finds {found} points at the spacing of level {level}, of {by_level}")
        # In integer steps, because laspy rounds to them.
        xy = np.stack([out.X, out.Y], axis=1).astype("i8")
        least, size = xy.min(axis=0), np.ptp(xy, axis=0)
        low, high = least + (0.3 * size).astype("i8"), least + (0.6 * size).astype("i8")
        within = int(((xy >= low) & (xy <= high)).all(axis=1).sum())
        low, high = (corner * out.header.scales[:2] + out.header.offsets[:2] for corner in (low, high))
        found = len(reader.query(laspy.Bounds(mins=low, maxs=high)))
        check(found == within, f"laspy finds {found} points in a box of {within}")
    return by_level


def check_copclib(path, out, by_level):
    reader = copclib.FileReader(str(path))
    nodes = reader.GetAllNodes()
    check(sum(node.point_count for node in nodes) == len(out.points), "copclib's nodes")
    info = reader.copc_config.copc_info
    for level in range(len(by_level)):
        resolution = info.spacing / 2**level
        check(reader.GetDepthAtResolution(resolution) == min(level, len(by_level) - 1), f"copclib's depth at {resolution}")
        found = sum(node.point_count for node in reader.GetNodesWithinResolution(resolution))
        check(found == sum(by_level[: level + 1]), f"copclib finds {found} points at the spacing of level {level}, of {by_level}")

    # Uses the cube of the info record. copclib's own check uses the header's bounds, which may differ from the cube.
    corner = np.array([info.center_x, info.center_y, info.center_z]) - info.halfsize
    slack = 0.5 * np.asarray(out.header.scales)
    places, levels = [], []
    for node in nodes:
        if node.point_count == 0:
            continue
        points = reader.GetPoints(node)
        xyz = np.stack([points.x, points.y, points.z], axis=1)
        edge = 2 * info.halfsize / 2**node.key.d
        low = corner + np.array([node.key.x, node.key.y, node.key.z]) * edge
        check(((xyz >= low - slack) & (xyz <= low + edge + slack)).all(), f"points of {node.key} lie outside of its box")
        places.append(xyz - corner)
        levels.append(np.full(len(xyz), node.key.d))
    places, levels = np.concatenate(places), np.concatenate(levels)

    def cells(edge):
        x, y, z = np.floor(places / edge + 1e-6).astype("i8").T
        return (x << 42) + (y << 21) + z

    if len(by_level) > 1:
        root = levels == 0
        alone = len(np.unique(cells(info.spacing)[root]))
        check(alone > 0.9 * root.sum(), f"{alone} of {root.sum()} points of the root have a cell of the spacing to themselves")
    worst = 0.0
    for level in range(len(by_level) - 1):
        # Four times the spacing: nodes whose points fill a volume have a coarser spacing, and cell edges are rounded to steps.
        there = cells(4 * info.spacing / 2**level)
        worst = max(worst, (~np.isin(there, there[levels <= level])).mean())
    check(worst < HOLES, f"{worst:.4%} of the points are in cells, four times as large as the level's spacing, that are empty down to that level")
    return len(nodes), len(reader.GetPageList()), worst


def check_file(parterre, work, path):
    folder = work / "out"
    shutil.rmtree(folder, ignore_errors=True)
    run = subprocess.run([parterre, "tile", path, "-o", folder, "--only", "copc", "--json"], capture_output=True, text=True)
    if run.returncode == 3:
        code = json.loads(run.stdout or run.stderr)["error"]["code"]
        check(code in REFUSED or (code == "no_points" and Path(path).name.split("-")[0] in RANDOM_COORDINATES), f"refused as {code}: {run.stderr[-500:]}")
        return f"refused: {code}"
    check(run.returncode == 0, f"parterre ended with {run.returncode}: {run.stderr[-500:]}")
    copc = folder / "points.copc.laz"
    out = laspy.read(copc)
    check_header(copc, out)
    try:
        source = read_input(path)
    except Exception as error:  # laspy cannot read every file that Parterre can
        source, refusal = None, error
    report = json.loads((folder / "report.json").read_text())
    is_projected = any(warning["code"] == "crs_projected" for warning in report["warnings"])
    if source is not None and is_projected:
        # The coordinates differ, but no point may be missing.
        check(len(source.points) == len(out.points), f"{len(source.points)} points became {len(out.points)}")
    elif source is not None:
        check_points(source, out)
    by_level = check_laspy(copc, out)
    nodes, pages, holes = check_copclib(copc, out, by_level)
    summary = f"{len(out.points):>9} points, format {out.header.point_format.id}, {len(by_level)} levels, {nodes} nodes, {pages} pages, {holes:.4%} in holes"
    return summary if source is not None else f"{summary}; not compared, laspy cannot read the source: {refusal}"


def main():
    parterre, work, *paths = sys.argv[1:]
    faults, compared = 0, 0
    for path in map(Path, paths):
        try:
            summary = check_file(parterre, Path(work), path)
            compared += "levels" in summary and "not compared" not in summary
        except Exception as error:
            summary = f"WRONG: {type(error).__name__}: {error}"
            faults += 1
        print(f"{path.parent.name}/{path.name}: {summary}", flush=True)
    print(f"{compared} of {len(paths)} scans compared point by point, {faults} wrong")
    sys.exit(1 if faults or not compared else 0)


main()
