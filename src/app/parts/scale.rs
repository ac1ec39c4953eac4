//! Where rows stand when there are more of them than a browser can scroll through.
//!
//! Browsers cap an element's height (Chromium and Firefox between 17 and 34 million pixels), so past [`MAX_HEIGHT`] the way of the scroll bar is
//! shorter than the rows are: what is scrolled stands for more.

/// The height that an element is given at most, in pixels.
pub const MAX_HEIGHT: f64 = 10_000_000.0;

/// How rows and the scroll bar's way fit together. All in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// How many rows.
    pub rows: u32,
    /// A row's height.
    pub row: f64,
    /// The height through which rows are seen.
    pub view: f64,
    /// Room after the last row: where rows may be taller than `row`, the last one must be able to come to the top.
    pub after: f64,
}

impl Scale {
    /// How tall all rows are.
    pub fn whole(&self) -> f64 {
        f64::from(self.rows) * self.row + self.after
    }

    /// How tall the element is.
    pub fn height(&self) -> f64 {
        self.whole().min(MAX_HEIGHT)
    }

    /// Whether the scroll bar's way is shorter than the rows are.
    pub fn is_scaled(&self) -> bool {
        self.whole() > MAX_HEIGHT
    }

    /// How far one can scroll in the rows.
    pub fn farthest(&self) -> f64 {
        (self.whole() - self.view).max(0.0)
    }

    /// How much of the rows lies above the view when the element is scrolled so far.
    pub fn top_of(&self, scrolled: f64) -> f64 {
        let way = (self.height() - self.view).max(1.0);
        if self.is_scaled() {
            (scrolled / way).clamp(0.0, 1.0) * self.farthest()
        } else {
            scrolled
        }
    }

    /// How far the element is scrolled when so much of the rows lies above the view.
    pub fn scrolled_to(&self, top: f64) -> f64 {
        if self.is_scaled() {
            top / self.farthest() * (self.height() - self.view).max(1.0)
        } else {
            top
        }
    }

    /// The first row that is seen, and how many are (in part).
    pub fn seen(&self, top: f64) -> (u32, u32) {
        let first = (top / self.row).floor().max(0.0) as u32;
        (first.min(self.rows), (self.view / self.row).ceil() as u32 + 1)
    }

    /// The smallest change of `top` that brings a row into view whole.
    pub fn bring(&self, row: u32, top: f64) -> f64 {
        let (above, below) = (f64::from(row) * self.row, f64::from(row + 1) * self.row - self.view);
        // A row and a half stay free around it, so that one sees that it goes on.
        let margin = (self.row * 1.5).min(self.view / 3.0);
        let top = if above - margin < top {
            above - margin
        } else {
            top.max(below + margin)
        };
        top.clamp(0.0, self.farthest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(rows: u32) -> Scale {
        Scale {
            rows,
            row: 20.0,
            view: 600.0,
            after: 0.0,
        }
    }

    #[test]
    fn few_rows_scroll_as_they_are() {
        let scale = scale(1_000);
        assert_eq!(scale.height(), 20_000.0);
        assert_eq!(scale.seen(scale.top_of(410.0)), (20, 31));
    }

    #[test]
    fn the_last_of_many_rows_can_be_reached_and_every_one_between() {
        let scale = scale(6_000_000);
        assert_eq!(scale.height(), MAX_HEIGHT);
        let (first, count) = scale.seen(scale.top_of(MAX_HEIGHT - 600.0));
        assert_eq!(first + count - 1, 6_000_000);
        for row in [0, 1, 17, 3_000_001, 5_999_970] {
            let top = f64::from(row) * 20.0;
            assert!((scale.top_of(scale.scrolled_to(top)) - top).abs() < 0.01);
        }
    }

    #[test]
    fn a_row_is_brought_into_view() {
        let scale = scale(1_000);
        assert_eq!(scale.bring(0, 500.0), 0.0);
        assert_eq!(scale.bring(30, 500.0), 500.0);
        assert_eq!(scale.bring(100, 500.0), 101.0 * 20.0 - 600.0 + 30.0);
        assert_eq!(scale.bring(999, 0.0), 19_400.0);
    }
}
