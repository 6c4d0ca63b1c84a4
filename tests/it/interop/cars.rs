//! cars
