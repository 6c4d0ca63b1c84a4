//! The parameters of a method, read from a query string by its schema. Never fails on a parameter that the schema does not know.

/// Checked parameters, defaults filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, Param)>);

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Param {
    Bool(bool),
    Int(i64),
    Text(String),
    List(Vec<Param>),
}

impl Params {
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Param> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, param)| param)
    }

    /// A text; `None` where it is absent.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        if let Some(Param::Text(text)) = self.get(name) { Some(text) } else { None }
    }

    /// An integer, or its default; `None` where it is absent and has none.
    #[must_use]
    pub fn int(&self, name: &str) -> Option<i64> {
        if let Some(Param::Int(int)) = self.get(name) { Some(*int) } else { None }
    }

    /// A boolean, or its default; `None` where it is absent and has none.
    #[must_use]
    pub fn bool(&self, name: &str) -> Option<bool> {
        if let Some(Param::Bool(yes)) = self.get(name) { Some(*yes) } else { None }
    }

    /// The texts of an array, in the order given; none where it is absent.
    pub fn texts<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let items = if let Some(Param::List(items)) = self.get(name) { items.as_slice() } else { &[] };
        items.iter().filter_map(|item| if let Param::Text(text) = item { Some(text.as_str()) } else { None })
    }
}
