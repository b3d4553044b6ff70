//! The shapes of a garment: body, sleeves, neckline.
//!
//! Units: the picture is 100 wide and high, (0, 0) is the garment's middle, y goes down.

use tiny_skia::PathBuilder;

use super::ink::Dice;

/// Labels of the task `sleeves`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleeves {
    Sleeveless,
    Long,
    Short,
}

impl Sleeves {
    /// All labels, in the order of the classes.
    pub const ALL: [(Self, &str); 3] =
        [(Self::Sleeveless, "sleeveless"), (Self::Long, "long_sleeve"), (Self::Short, "short_sleeve")];

    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// Labels of the task `neckline`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Neckline {
    /// A straight edge below the shoulders: strapless or off the shoulder.
    None,
    V,
    Crew,
    Square,
}

impl Neckline {
    /// All labels, in the order of the classes.
    pub const ALL: [(Self, &str); 4] = [
        (Self::None, "no_neckline"),
        (Self::V, "v_neckline"),
        (Self::Crew, "crew_neckline"),
        (Self::Square, "square_neckline"),
    ];

    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// One sleeve, from the shoulder to the cuff.
#[derive(Clone, Copy)]
pub struct Sleeve {
    /// 1 right, -1 left (as seen).
    pub side: f32,
    /// Degrees from the body's direction to the sleeve's.
    pub turn: f32,
    /// Outer and inner corner of the cuff.
    pub cuff: [(f32, f32); 2],
    pub shoulder: (f32, f32),
    armpit: (f32, f32),
    bend: (f32, f32),
}

/// The dimensions of one garment.
pub struct Cut {
    pub neckline: Neckline,
    /// Half the width of the neck opening.
    pub neck: f32,
    /// y where the neckline begins.
    pub top: f32,
    /// How far the neckline reaches down.
    pub depth: f32,
    pub shoulder: (f32, f32),
    pub armpit: (f32, f32),
    pub waist: (f32, f32),
    pub hem: (f32, f32),
    /// How far the middle of the hem hangs below its ends.
    pub sag: f32,
    pub sleeves: Vec<Sleeve>,
}

impl Cut {
    pub fn draw(sleeves: Sleeves, neckline: Neckline, dice: &mut Dice) -> Self {
        let dress = dice.chance(0.45);
        let half = dice.range(18.5, 22.0) + if sleeves == Sleeves::Sleeveless { 2.5 } else { 0.0 };
        let open = neckline != Neckline::None;
        let top = if open { -39.0 } else { -30.0 } + dice.around(1.5);
        let shoulder = match (open, sleeves) {
            (true, Sleeves::Sleeveless) => (half - dice.range(2.0, 5.0), top + dice.range(1.5, 3.0)),
            (true, _) => (half + dice.range(0.5, 2.5), top + dice.range(4.0, 7.0)),
            (false, Sleeves::Sleeveless) => (half - dice.range(0.5, 1.5), top),
            (false, _) => (half + dice.range(1.0, 3.0), top),
        };
        let armpit_y = if open { top + dice.range(17.0, 20.0) } else { top + dice.range(9.0, 11.0) };
        let hem_y = if dress { dice.range(38.0, 43.0) } else { dice.range(26.0, 36.0) };
        let waist = (half - dice.range(0.5, if dress { 5.0 } else { 2.5 }), dice.range(0.0, 6.0));
        let flare = if sleeves == Sleeves::Long { 8.0 } else { 13.0 };
        let hem_x = if dress { half + dice.range(4.0, flare) } else { half + dice.range(-1.0, 2.0) };
        let (neck, depth) = match neckline {
            Neckline::None => (shoulder.0, dice.range(0.0, 1.5)),
            Neckline::V => (dice.range(9.5, 12.0), dice.range(19.0, 25.0)),
            Neckline::Crew => (dice.range(9.5, 11.5), dice.range(8.5, 11.0)),
            Neckline::Square => (dice.range(11.0, 13.0), dice.range(13.0, 16.5)),
        };
        let mut cut = Self {
            neckline,
            neck,
            top,
            depth,
            shoulder,
            armpit: (half, armpit_y),
            waist,
            hem: (hem_x, hem_y),
            sag: dice.range(0.0, 4.0),
            sleeves: Vec::new(),
        };
        let (degrees, length, width) = match sleeves {
            Sleeves::Sleeveless => return cut,
            Sleeves::Long => (dice.range(63.0, 73.0), dice.range(48.0, 54.0), dice.range(7.5, 10.0)),
            Sleeves::Short => (dice.range(30.0, 46.0), dice.range(15.0, 18.5), dice.range(12.0, 14.0)),
        };
        cut.sleeves =
            [-1.0, 1.0].map(|side| cut.sleeve(side, degrees + dice.around(4.0), length, width)).into();
        cut
    }

    fn sleeve(&self, side: f32, degrees: f32, length: f32, width: f32) -> Sleeve {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let outer = (self.shoulder.0 + cos * length, self.shoulder.1 + sin * length);
        let inner = (outer.0 - sin * width, outer.1 + cos * width);
        let mirror = |(x, y): (f32, f32)| (x * side, y);
        Sleeve {
            side,
            turn: (degrees - 90.0) * side,
            cuff: [mirror(outer), mirror(inner)],
            shoulder: mirror(self.shoulder),
            armpit: mirror(self.armpit),
            bend: mirror((
                self.shoulder.0 + cos * length * 0.45 + 2.5,
                self.shoulder.1 + sin * length * 0.35,
            )),
        }
    }

    /// Half the width and half the height of the whole garment.
    pub fn reach(&self) -> (f32, f32) {
        let cuffs = self.sleeves.iter().flat_map(|sleeve| sleeve.cuff).map(|(x, _)| x.abs());
        let width = cuffs.fold(self.hem.0.max(self.armpit.0), f32::max);
        (width, (self.hem.1 + self.sag - self.top) / 2.0)
    }

    /// The front of the body, closed.
    pub fn body(&self, b: &mut PathBuilder) {
        b.move_to(self.neck, self.top);
        self.side_down(b);
        b.quad_to(0.0, self.hem.1 + 2.0 * self.sag, -self.hem.0, self.hem.1);
        self.side_up(b);
        self.neckline(b);
        b.close();
    }

    /// From the neck over shoulder, armhole and waist down to the hem.
    fn side_down(&self, b: &mut PathBuilder) {
        let (shoulder, armpit, waist, hem) = (self.shoulder, self.armpit, self.waist, self.hem);
        b.line_to(shoulder.0, shoulder.1);
        let inset = if self.neckline == Neckline::None { 0.0 } else { 3.0 };
        b.quad_to(shoulder.0.min(armpit.0) - inset, armpit.1 - 4.0, armpit.0, armpit.1);
        b.quad_to(waist.0 + 0.3, (armpit.1 + waist.1) / 2.0, waist.0, waist.1);
        b.quad_to(waist.0 + 0.3, (waist.1 * 0.7) + hem.1 * 0.3, hem.0, hem.1);
    }

    /// The left side, from the hem up to the neck: [`Self::side_down`] mirrored and backwards.
    fn side_up(&self, b: &mut PathBuilder) {
        let (shoulder, armpit, waist, hem) = (self.shoulder, self.armpit, self.waist, self.hem);
        let inset = if self.neckline == Neckline::None { 0.0 } else { 3.0 };
        b.quad_to(-(waist.0 + 0.3), (waist.1 * 0.7) + hem.1 * 0.3, -waist.0, waist.1);
        b.quad_to(-(waist.0 + 0.3), (armpit.1 + waist.1) / 2.0, -armpit.0, armpit.1);
        b.quad_to(-(shoulder.0.min(armpit.0) - inset), armpit.1 - 4.0, -shoulder.0, shoulder.1);
        b.line_to(-self.neck, self.top);
    }

    /// The neckline from left to right; the pencil is at its left end.
    fn neckline(&self, b: &mut PathBuilder) {
        let (neck, top, low) = (self.neck, self.top, self.top + self.depth);
        match self.neckline {
            Neckline::None => b.quad_to(0.0, low + self.depth, neck, top),
            Neckline::V => {
                b.quad_to(-neck * 0.55, top + self.depth * 0.55, 0.0, low);
                b.quad_to(neck * 0.55, top + self.depth * 0.55, neck, top);
            }
            Neckline::Crew => {
                let control = top + self.depth / 0.75;
                b.cubic_to(-neck, control, neck, control, neck, top);
            }
            Neckline::Square => {
                b.line_to(-neck, low - 1.5);
                b.quad_to(-neck, low, -neck + 1.5, low);
                b.line_to(neck - 1.5, low);
                b.quad_to(neck, low, neck, low - 1.5);
                b.line_to(neck, top);
            }
        }
    }

    /// The neckline alone, for the collar.
    pub fn collar(&self, b: &mut PathBuilder) {
        b.move_to(-self.neck, self.top);
        self.neckline(b);
    }

    /// The inside of the back, which shows through the neckline.
    pub fn back(&self, b: &mut PathBuilder) {
        if self.neckline == Neckline::None {
            return;
        }
        b.move_to(-self.neck, self.top);
        self.back_edge(b);
        b.line_to(self.neck, self.top + self.depth + 1.0);
        b.line_to(-self.neck, self.top + self.depth + 1.0);
        b.close();
    }

    /// The upper edge of the back, from left to right; the pencil is at its left end.
    pub fn back_edge(&self, b: &mut PathBuilder) {
        b.quad_to(0.0, self.top + 5.0, self.neck, self.top);
    }

    /// The hem as a line.
    pub fn hem_line(&self, b: &mut PathBuilder, above: f32) {
        b.move_to(self.hem.0, self.hem.1 - above);
        b.quad_to(0.0, self.hem.1 + 2.0 * self.sag - above, -self.hem.0, self.hem.1 - above);
    }

    /// y of the hem at `x`.
    pub fn hem_at(&self, x: f32) -> f32 {
        let share = (x / self.hem.0).clamp(-1.0, 1.0);
        self.hem.1 + self.sag * (1.0 - share * share)
    }
}

impl Sleeve {
    /// The sleeve, closed; it reaches under the body.
    pub fn outline(&self, b: &mut PathBuilder) {
        let [outer, inner] = self.cuff;
        b.move_to(self.shoulder.0, self.shoulder.1);
        b.quad_to(self.bend.0, self.bend.1, outer.0, outer.1);
        b.line_to(inner.0, inner.1);
        b.line_to(self.armpit.0, self.armpit.1);
        b.line_to(self.armpit.0 - 6.0 * self.side, self.armpit.1 - 4.0);
        b.line_to(self.shoulder.0 - 5.0 * self.side, self.shoulder.1);
        b.close();
    }

    /// A line across the sleeve, `above` units from the cuff's edge.
    pub fn across(&self, b: &mut PathBuilder, above: f32) {
        let [outer, inner] = self.cuff;
        let (dx, dy) = (outer.0 - inner.0, outer.1 - inner.1);
        let length = dx.hypot(dy).max(0.1);
        // Along the sleeve, towards the shoulder.
        let (ux, uy) = (dy / length * self.side, -dx / length * self.side);
        b.move_to(outer.0 + ux * above, outer.1 + uy * above);
        b.line_to(inner.0 + ux * above, inner.1 + uy * above);
    }
}
