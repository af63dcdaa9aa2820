//! Which tiles to draw and which to load: pure functions of the tree, the views, what is resident and the budget.
