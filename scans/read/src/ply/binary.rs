//! Binary rows: of fixed length, decoded column by column from large blocks, or with lists, read one by one.

use std::io::{BufReader, Read};

use glam::DVec3;

use super::header::{Coding, Element, Kind, Shape};
use super::layout::{CLASS, Columns, INTENSITY, Layout, RED, ROLES, Row, TIME};
use crate::source::Source;
use parterre_model::points::PointChunk;

/// A type of numbers in a file.
trait Number {
    const LEN: usize;
    fn get<const BIG: bool>(bytes: &[u8]) -> f64;
}

macro_rules! number {
    ($($type:ty),*) => {$(
        impl Number for $type {
            const LEN: usize = size_of::<$type>();
            fn get<const BIG: bool>(bytes: &[u8]) -> f64 {
                let bytes = std::array::from_fn(|i| bytes[i]);
                f64::from(if BIG { <$type>::from_be_bytes(bytes) } else { <$type>::from_le_bytes(bytes) })
            }
        }
    )*};
}
number!(f32, f64, i32);

/// Appends the rows' vertices. Returns how many numbers had to be clamped.
pub(super) fn decode(layout: &Layout, columns: Columns, rows: &[u8], chunk: &mut PointChunk) -> u64 {
    let mut clamped = 0;
    positions(layout, rows, &mut chunk.positions);
    let each = || rows.chunks_exact(layout.stride);
    if let (Some(scaling), [Some(red), Some(green), Some(blue)]) = (columns.color, &layout.fields[RED..INTENSITY]) {
        let at = [red.at, green.at, blue.at];
        if [red, green, blue].iter().all(|field| field.kind == Kind::U8) {
            chunk.colors.extend(each().map(|row| at.map(|at| u16::from(row[at]) * 257)));
        } else {
            chunk.colors.extend(each().map(|row| {
                let color = [red, green, blue].map(|field| field.kind.number(&row[field.at..], layout.coding));
                clamped += u64::from(color.iter().any(|&value| scaling.is_outside(value)));
                color.map(|value| scaling.apply(value))
            }));
        }
    }
    if let (Some(scaling), Some(field)) = (columns.intensity, layout.fields[INTENSITY]) {
        chunk.intensities.extend(each().map(|row| {
            let value = field.kind.number(&row[field.at..], layout.coding);
            clamped += u64::from(scaling.is_outside(value));
            scaling.apply(value)
        }));
    }
    if let (true, Some(field)) = (columns.classification, layout.fields[CLASS]) {
        chunk.classifications.extend(each().map(|row| field.kind.number(&row[field.at..], layout.coding) as u8));
    }
    if let (true, Some(field)) = (columns.gps_time, layout.fields[TIME]) {
        chunk.gps_times.extend(each().map(|row| field.kind.number(&row[field.at..], layout.coding)));
    }
    clamped
}

fn positions(layout: &Layout, rows: &[u8], out: &mut Vec<DVec3>) {
    let [Some(x), Some(y), Some(z)] = [layout.fields[0], layout.fields[1], layout.fields[2]] else { return };
    let (at, stride) = ([x.at, y.at, z.at], layout.stride);
    if [y.kind, z.kind] == [x.kind; 2] {
        match (x.kind, layout.coding) {
            (Kind::F32, Coding::Big) => return same::<f32, true>(rows, stride, at, out),
            (Kind::F32, _) => return same::<f32, false>(rows, stride, at, out),
            (Kind::F64, Coding::Big) => return same::<f64, true>(rows, stride, at, out),
            (Kind::F64, _) => return same::<f64, false>(rows, stride, at, out),
            (Kind::I32, Coding::Big) => return same::<i32, true>(rows, stride, at, out),
            (Kind::I32, _) => return same::<i32, false>(rows, stride, at, out),
            _ => {}
        }
    }
    let number = |row: &[u8], field: super::layout::Field| field.kind.number(&row[field.at..], layout.coding);
    out.extend(rows.chunks_exact(stride).map(|row| DVec3::new(number(row, x), number(row, y), number(row, z))));
}

fn same<T: Number, const BIG: bool>(rows: &[u8], stride: usize, [x, y, z]: [usize; 3], out: &mut Vec<DVec3>) {
    let get = |row: &[u8], at: usize| T::get::<BIG>(&row[at..at + T::LEN]);
    out.extend(rows.chunks_exact(stride).map(|row| DVec3::new(get(row, x), get(row, y), get(row, z))));
}

/// Reads a row of any shape; `UnexpectedEof` where the file ends within it.
pub(super) fn read_row(input: &mut BufReader<Box<dyn Source>>, element: &Element, layout: &Layout) -> std::io::Result<Row> {
    let mut row = [0.0; ROLES];
    let mut bytes = [0; 8];
    let mut number = |input: &mut BufReader<Box<dyn Source>>, kind: Kind| {
        input.read_exact(&mut bytes[..kind.len()])?;
        Ok::<_, std::io::Error>(kind.number(&bytes, layout.coding))
    };
    for (index, property) in element.properties.iter().enumerate() {
        match property.shape {
            Shape::Scalar(kind) => {
                let value = number(input, kind)?;
                if let Some(role) = layout.fields.iter().position(|field| field.is_some_and(|field| field.property == index)) {
                    row[role] = value;
                }
            }
            Shape::List { count, item } => {
                let count = number(input, count)?;
                if count < 0.0 {
                    return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, format!("a list cannot have {count} numbers")));
                }
                // At most 2^32 numbers of 8 bytes. Seeking past the end is no error; the next read fails.
                input.seek_relative(count as i64 * item.len() as i64)?;
            }
        }
    }
    Ok(row)
}
