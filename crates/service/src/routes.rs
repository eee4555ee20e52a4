//! The public routes of all services as one table: 405, `Allow`, `OPTIONS` and metric labels come from it. nginx
//! sends unsafe methods to writers and everything else to readers.

use axum::http::Method;

/// Methods of a route, in the order in which `Allow` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// As in axum: `{…}` takes one segment.
    pub path: &'static str,
    /// GET also means HEAD.
    pub methods: &'static [&'static str],
}

/// All public routes.
pub const ROUTES: &[Route] = &[
    Route { path: "/products", methods: &["GET"] },
    Route { path: "/products/{product_id}", methods: &["GET"] },
    Route { path: "/products/{product_id}/styles", methods: &["GET"] },
    Route { path: "/products/{product_id}/related", methods: &["GET"] },
    Route { path: "/reviews", methods: &["GET", "POST"] },
    Route { path: "/reviews/meta", methods: &["GET"] },
    Route { path: "/reviews/{review_id}/helpful", methods: &["PUT"] },
    Route { path: "/reviews/{review_id}/report", methods: &["PUT"] },
    Route { path: "/qa/questions", methods: &["GET", "POST"] },
    Route { path: "/qa/questions/{question_id}/answers", methods: &["GET", "POST"] },
    Route { path: "/qa/questions/{question_id}/helpful", methods: &["PUT"] },
    Route { path: "/qa/questions/{question_id}/report", methods: &["PUT"] },
    Route { path: "/qa/answers/{answer_id}/helpful", methods: &["PUT"] },
    Route { path: "/qa/answers/{answer_id}/report", methods: &["PUT"] },
    Route { path: "/cart", methods: &["GET", "POST"] },
    Route { path: "/interactions", methods: &["POST"] },
    Route { path: "/openapi.json", methods: &["GET"] },
    Route { path: "/docs", methods: &["GET"] },
    Route { path: "/docs/{asset}", methods: &["GET"] },
    Route { path: "/problems/{problem}", methods: &["GET"] },
];

impl Route {
    /// The route that a path belongs to; literal segments win over `{…}`.
    pub fn of(path: &str) -> Option<&'static Route> {
        let path = path.trim_end_matches('/');
        let literal = |route: &&Route| route.path == path;
        ROUTES.iter().find(literal).or_else(|| ROUTES.iter().find(|route| route.matches(path)))
    }

    /// The value of `Allow`.
    pub fn allow(&self) -> String {
        let mut allowed = Vec::new();
        for &method in self.methods {
            allowed.push(method);
            if method == "GET" {
                allowed.push("HEAD");
            }
        }
        allowed.push("OPTIONS");
        allowed.join(", ")
    }

    /// Whether the route answers a method.
    pub fn answers(&self, method: &Method) -> bool {
        self.methods.contains(&method.as_str()) || *method == Method::HEAD && self.methods.contains(&"GET")
    }

    fn matches(&self, path: &str) -> bool {
        let (mut pattern, mut segments) = (self.path.split('/'), path.split('/'));
        loop {
            match (pattern.next(), segments.next()) {
                (None, None) => return true,
                (Some(expected), Some(found))
                    if expected == found || expected.starts_with('{') && !found.is_empty() => {}
                _ => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_finds_its_route() {
        for (path, route) in [
            ("/products", Some("/products")),
            ("/products/", Some("/products")),
            ("/products/hello", Some("/products/{product_id}")),
            ("/products/1/styles/", Some("/products/{product_id}/styles")),
            ("/reviews/meta", Some("/reviews/meta")),
            ("/reviews/5/helpful", Some("/reviews/{review_id}/helpful")),
            ("/reviews/5", None),
            ("/qa/questions", Some("/qa/questions")),
            ("/qa/questions/1/answers", Some("/qa/questions/{question_id}/answers")),
            ("/qa/questions/1", None),
            ("/qa/answers/1/report/", Some("/qa/answers/{answer_id}/report")),
            ("/cart/", Some("/cart")),
            ("/interactions", Some("/interactions")),
            ("/products//styles", None),
            ("/", None),
        ] {
            assert_eq!(Route::of(path).map(|route| route.path), route, "{path}");
        }
        assert_eq!(Route::of("/reviews").unwrap().allow(), "GET, HEAD, POST, OPTIONS");
    }
}
