//! The one shape that venues are made of: a parallelepiped, with what it is made of.
//!
//! A sheared or turned box serves for walls, steps, ramps, seat backs and braces alike, and a ray meets it by one affine
//! map and one slab test. Geometry is built in f64 and traced in f32, whose step at 60 m is 4 µm, far below the noise of
//! a scanner.

use glam::{DMat3, DVec3, Mat3A, Vec3A};

use super::material::Material;
use parterre_model::points::Bounds;

/// A parallelepiped: one corner and the three edges that leave it. Metres.
#[derive(Clone, Debug)]
pub struct Solid {
    /// A corner.
    pub corner: DVec3,
    /// The three edges that leave the corner; not parallel to one plane.
    pub edges: [DVec3; 3],
    /// What it is made of.
    pub material: Material,
}

impl Solid {
    /// An axis-aligned box between two corners, in any order.
    pub fn block(a: DVec3, b: DVec3, material: Material) -> Self {
        let corner = a.min(b);
        let size = (a.max(b) - corner).max(DVec3::splat(1e-4));
        Self { corner, edges: [DVec3::X * size.x, DVec3::Y * size.y, DVec3::Z * size.z], material }
    }

    /// A bar of rectangular section from the middle of one end to the middle of the other.
    ///
    /// `across` gives the direction of the section's first side; it need not be square to the bar.
    pub fn bar(from: DVec3, to: DVec3, across: DVec3, width: f64, height: f64, material: Material) -> Self {
        let along = to - from;
        let side = across.reject_from(along).normalize_or(DVec3::X) * width;
        let up = along.cross(side).normalize_or(DVec3::Z) * height;
        Self { corner: from - (side + up) * 0.5, edges: [along, side, up], material }
    }

    /// The smallest axis-aligned box around it.
    pub fn bounds(&self) -> Bounds {
        let mut bounds = Bounds::EMPTY;
        for i in 0..8_u32 {
            let part = |edge: usize| if i >> edge & 1 == 1 { self.edges[edge] } else { DVec3::ZERO };
            bounds.include(self.corner + part(0) + part(1) + part(2));
        }
        bounds
    }

    /// Whether the point lies inside or on a face.
    pub fn contains(&self, point: DVec3) -> bool {
        let local = DMat3::from_cols_array_2d(&self.edges.map(|edge| edge.to_array())).inverse() * (point - self.corner);
        local.cmpge(DVec3::splat(-1e-9)).all() && local.cmple(DVec3::splat(1.0 + 1e-9)).all()
    }

    pub(super) fn traced(&self) -> TracedSolid {
        let inverse = DMat3::from_cols_array_2d(&self.edges.map(|edge| edge.to_array())).inverse();
        TracedSolid { unit_from_world: inverse.as_mat3().into(), corner: self.corner.as_vec3a() }
    }
}

/// A solid as rays see it: the map that makes it the unit cube.
#[derive(Clone, Copy, Debug)]
pub(super) struct TracedSolid {
    unit_from_world: Mat3A,
    corner: Vec3A,
}

impl TracedSolid {
    /// Distance along `direction` at which the ray enters, if it enters in front of its origin and before `limit`.
    #[inline]
    pub(super) fn enter(&self, origin: Vec3A, direction: Vec3A, limit: f32) -> Option<f32> {
        let o = self.unit_from_world * (origin - self.corner);
        let inverse = (self.unit_from_world * direction).recip();
        let t0 = -o * inverse;
        let t1 = (Vec3A::ONE - o) * inverse;
        let near = t0.min(t1).max_element();
        let far = t0.max(t1).min_element();
        (near > 1e-4 && near <= far && near < limit).then_some(near)
    }

    /// Outward unit normal of the face through which the ray enters.
    pub(super) fn normal(&self, origin: Vec3A, direction: Vec3A) -> Vec3A {
        let o = self.unit_from_world * (origin - self.corner);
        let inverse = (self.unit_from_world * direction).recip();
        let near = (-o * inverse).min((Vec3A::ONE - o) * inverse);
        let face = near.max_position();
        // A face's normal is the gradient of its unit coordinate: a row of the map.
        let normal = self.unit_from_world.row(face).normalize_or_zero();
        if normal.dot(direction) > 0.0 { -normal } else { normal }
    }
}
