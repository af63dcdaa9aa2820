//! Eigenvalues of covariance matrices, for planes fitted to points.

use glam::{DMat3, DVec3};

/// Eigenvalues of a symmetric matrix, ascending, and their vectors, by Jacobi's rotations: exact enough where one value is a millionth of
/// another.
pub fn symmetric_eigen(mut m: DMat3) -> ([f64; 3], [DVec3; 3]) {
    let mut vectors = DMat3::IDENTITY;
    for _ in 0..12 {
        for (p, q) in [(0, 1), (0, 2), (1, 2)] {
            let off = m.col(q)[p];
            if off == 0.0 {
                continue;
            }
            let theta = (m.col(q)[q] - m.col(p)[p]) / (2.0 * off);
            let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
            let c = t.hypot(1.0).recip();
            let s = t * c;
            let mut turn = DMat3::IDENTITY;
            turn.col_mut(p)[p] = c;
            turn.col_mut(q)[q] = c;
            turn.col_mut(q)[p] = s;
            turn.col_mut(p)[q] = -s;
            m = turn.transpose() * m * turn;
            vectors *= turn;
        }
    }
    let mut order = [0, 1, 2];
    order.sort_unstable_by(|&a, &b| m.col(a)[a].total_cmp(&m.col(b)[b]));
    (order.map(|index| m.col(index)[index]), order.map(|index| vectors.col(index)))
}

/// Eigenvalues of a symmetric matrix, ascending, in closed form: about ten times as fast as [`symmetric_eigen`], with errors of about 1e-15 of the
/// largest value; where two of them are nearly the same, the errors of those two are about 1e-8 of it (O. K. Smith: "Eigenvalues of a symmetric 3 x 3
/// matrix", Communications of the ACM 4 (4), 1961).
pub fn symmetric_eigenvalues(m: DMat3) -> [f64; 3] {
    let middle = (m.x_axis.x + m.y_axis.y + m.z_axis.z) / 3.0;
    let (xy, xz, yz) = (m.y_axis.x, m.z_axis.x, m.z_axis.y);
    let diagonal = DVec3::new(m.x_axis.x, m.y_axis.y, m.z_axis.z) - middle;
    let spread = ((diagonal.length_squared() + 2.0 * (xy * xy + xz * xz + yz * yz)) / 6.0).sqrt();
    if spread.is_nan() || spread <= 0.0 {
        return [middle; 3];
    }
    let DVec3 { x, y, z } = diagonal;
    let determinant = x * (y * z - yz * yz) - xy * (xy * z - yz * xz) + xz * (xy * yz - y * xz);
    let angle = (determinant / (2.0 * spread.powi(3))).clamp(-1.0, 1.0).acos() / 3.0;
    let largest = middle + 2.0 * spread * angle.cos();
    let smallest = middle + 2.0 * spread * (angle + std::f64::consts::TAU / 3.0).cos();
    [smallest, 3.0 * middle - largest - smallest, largest]
}

/// The unit eigenvector of a symmetric matrix for one of its eigenvalues; `None` where another eigenvalue is nearly the same, so that no direction is
/// singled out.
pub fn symmetric_eigenvector(m: DMat3, value: f64) -> Option<DVec3> {
    let rest = m - DMat3::from_diagonal(DVec3::splat(value));
    // It is orthogonal to every row of the rest.
    let crosses = [rest.x_axis.cross(rest.y_axis), rest.y_axis.cross(rest.z_axis), rest.z_axis.cross(rest.x_axis)];
    let mut best = crosses[0];
    for cross in &crosses[1..] {
        if cross.length_squared() > best.length_squared() {
            best = *cross;
        }
    }
    let scale = rest.x_axis.length_squared().max(rest.y_axis.length_squared()).max(rest.z_axis.length_squared());
    (best.length() > 1e-6 * scale).then(|| best.normalize())
}

#[cfg(test)]
mod tests {
    use glam::{DMat3, DVec3};

    use super::{symmetric_eigen, symmetric_eigenvalues, symmetric_eigenvector};

    #[test]
    fn the_closed_form_agrees_with_rotations() {
        let mut state = 1_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        for round in 0..2000 {
            let axis = DVec3::new(random() - 0.5, random() - 0.5, random() - 0.5).normalize();
            let turn = DMat3::from_axis_angle(axis, random() * 6.0);
            // From thin slabs to balls.
            let values = DVec3::new(random() * 10_f64.powi(-(round % 7)), 0.2 + random(), 2.0 + random());
            let m = turn * DMat3::from_diagonal(values) * turn.transpose();
            let (wanted, vectors) = symmetric_eigen(m);
            let found = symmetric_eigenvalues(m);
            for (found, wanted) in found.into_iter().zip(wanted) {
                assert!((found - wanted).abs() < 1e-13, "{found} instead of {wanted}");
            }
            if found[1] - found[0] > 0.01 {
                let vector = symmetric_eigenvector(m, found[0]).unwrap_or_default();
                assert!(vector.dot(vectors[0]).abs() > 1.0 - 1e-9, "{values} {vector}");
            }
        }
    }

    #[test]
    fn equal_values_have_no_direction() {
        for m in [DMat3::ZERO, DMat3::IDENTITY, DMat3::from_diagonal(DVec3::new(1.0, 1.0, 5.0))] {
            let values = symmetric_eigenvalues(m);
            assert!(values.iter().all(|value| value.is_finite()), "{values:?}");
            assert_eq!(symmetric_eigenvector(m, values[0]), None, "{m}");
        }
        let line = DMat3::from_diagonal(DVec3::new(1.0, 1.0, 5.0));
        assert_eq!(symmetric_eigenvector(line, 5.0).map(DVec3::abs), Some(DVec3::Z));
        assert!(symmetric_eigenvalues(DMat3::from_diagonal(DVec3::NAN)).iter().all(|value| value.is_nan()));
    }

    #[test]
    fn eigenvalues_of_a_known_matrix() {
        // Eigenvalues 1, 2 and 4 in a turned frame.
        let turn = DMat3::from_axis_angle(DVec3::new(1.0, 2.0, 3.0).normalize(), 0.7);
        let (found, _) = symmetric_eigen(turn * DMat3::from_diagonal(DVec3::new(4.0, 1.0, 2.0)) * turn.transpose());
        for (found, wanted) in found.into_iter().zip([1.0, 2.0, 4.0]) {
            assert!((found - wanted).abs() < 1e-12, "{found} instead of {wanted}");
        }
    }
}
