//! Earlier runs, to lay over the charts.
