//! `history.csv` in the column order of Keras' CSVLogger.
