//! `com.germnetwork`: of another messenger the declarations only.

pub mod declaration;
