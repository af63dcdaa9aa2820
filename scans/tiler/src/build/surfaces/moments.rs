//! Planes fitted to points by their moments, which add up from cells to larger cells.

use glam::{DMat3, DVec3};

use parterre_model::eigen::{symmetric_eigen, symmetric_eigenvalues, symmetric_eigenvector};

/// Sums over points, relative to an origin near them that the caller keeps.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Moments {
    pub(crate) count: u32,
    sum: DVec3,
    /// Sums of x², y², z².
    squares: DVec3,
    /// Sums of yz, xz, xy.
    products: DVec3,
}

impl Moments {
    /// Adds a point.
    #[inline]
    pub(crate) fn add(&mut self, point: DVec3) {
        self.count += 1;
        self.sum += point;
        self.squares += point * point;
        self.products += DVec3::new(point.y * point.z, point.x * point.z, point.x * point.y);
    }

    /// Adds the points of other moments with the same origin.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.squares += other.squares;
        self.products += other.products;
    }

    /// The principal axes; `None` for fewer than three points and where all are at one place.
    pub(crate) fn fit(&self) -> Option<Fit> {
        if self.count < 3 {
            return None;
        }
        let count = f64::from(self.count);
        let center = self.sum / count;
        let DVec3 { x, y, z } = center;
        let variances = self.squares / count - center * center;
        let products = self.products / count - DVec3::new(y * z, x * z, x * y);
        let covariance = DMat3::from_cols(
            DVec3::new(variances.x, products.z, products.y),
            DVec3::new(products.z, variances.y, products.x),
            DVec3::new(products.y, products.x, variances.z),
        );
        let values = symmetric_eigenvalues(covariance).map(|value| value.max(0.0));
        // Squares of less than a micrometre are rounding errors.
        (values[2] > 1e-12).then_some(Fit { count, center, covariance, values })
    }
}

/// Principal axes of points.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fit {
    count: f64,
    /// Mean of the points, from the origin of the moments.
    pub(crate) center: DVec3,
    covariance: DMat3,
    /// Variances along the axes, ascending.
    pub(crate) values: [f64; 3],
}

impl Fit {
    /// Sum of the squared distances from the plane.
    pub(crate) fn residual(&self) -> f64 {
        self.values[0] * self.count
    }

    /// Number of points.
    pub(crate) fn points(&self) -> u32 {
        self.count as u32
    }

    /// Observations beyond those that the plane's three parameters take.
    pub(crate) fn freedom(&self) -> f64 {
        self.count - 3.0
    }

    /// Unit normal of the plane, with its largest coordinate positive. Points on a line have many planes: the one whose normal is the steepest.
    pub(crate) fn normal(&self) -> DVec3 {
        let [small, middle, large] = self.values;
        let is_line = middle < LINE * large && small > 0.25 * middle;
        let normal = if is_line {
            symmetric_eigenvector(self.covariance, large).and_then(|axis| DVec3::Z.reject_from_normalized(axis).try_normalize())
        } else {
            symmetric_eigenvector(self.covariance, small)
        };
        let normal = normal.unwrap_or_else(|| symmetric_eigen(self.covariance).1[0]);
        let [x, y, z] = normal.abs().to_array();
        let largest = if z >= x && z >= y {
            normal.z
        } else if y >= x {
            normal.y
        } else {
            normal.x
        };
        if largest < 0.0 { -normal } else { normal }
    }
}

/// Points are on a line where their variance across it is below this share of that along it: a railing of 4 cm over more than 13 cm.
const LINE: f64 = 0.03;
