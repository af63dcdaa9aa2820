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

#[cfg(test)]
mod tests {
    use glam::{DMat3, DVec3};

    use super::symmetric_eigen;

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
