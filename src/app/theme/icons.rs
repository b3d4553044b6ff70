//! Glyphs of the bundled icon font (Phosphor, regular weight).

/// Phosphor's `arrow-counter-clockwise`.
pub const ARROW_COUNTER_CLOCKWISE: &str = "\u{e038}";
/// Phosphor's `arrow-up`.
pub const ARROW_UP: &str = "\u{e08e}";
/// Phosphor's `arrow-right`.
pub const ARROW_RIGHT: &str = "\u{e06c}";
/// Phosphor's `arrows-merge`.
pub const ARROWS_MERGE: &str = "\u{ed3e}";
/// Phosphor's `caret-down`.
pub const CARET_DOWN: &str = "\u{e136}";
/// Phosphor's `caret-right`.
pub const CARET_RIGHT: &str = "\u{e13a}";
/// Phosphor's `chart-bar`.
pub const CHART_BAR: &str = "\u{e150}";
/// Phosphor's `chart-line`.
pub const CHART_LINE: &str = "\u{e154}";
/// Phosphor's `check`.
pub const CHECK: &str = "\u{e182}";
/// Phosphor's `check-circle`.
pub const CHECK_CIRCLE: &str = "\u{e184}";
/// Phosphor's `circle-half`.
pub const CIRCLE_HALF: &str = "\u{e18c}";
/// Phosphor's `clipboard`.
pub const CLIPBOARD: &str = "\u{e196}";
/// Phosphor's `clock`.
pub const CLOCK: &str = "\u{e19a}";
/// Phosphor's `command`.
pub const COMMAND: &str = "\u{e1c4}";
/// Phosphor's `cpu`.
pub const CPU: &str = "\u{e610}";
/// Phosphor's `crosshair`.
pub const CROSSHAIR: &str = "\u{e1d6}";
/// Phosphor's `dots-three`.
pub const DOTS_THREE: &str = "\u{e1fe}";
/// Phosphor's `file`.
pub const FILE: &str = "\u{e230}";
/// Phosphor's `floppy-disk`.
pub const FLOPPY_DISK: &str = "\u{e248}";
/// Phosphor's `folder`.
pub const FOLDER: &str = "\u{e24a}";
/// Phosphor's `folder-open`.
pub const FOLDER_OPEN: &str = "\u{e256}";
/// Phosphor's `funnel`.
pub const FUNNEL: &str = "\u{e266}";
/// Phosphor's `graph`.
pub const GRAPH: &str = "\u{eb58}";
/// Phosphor's `image`.
pub const IMAGE: &str = "\u{e2ca}";
/// Phosphor's `images`.
pub const IMAGES: &str = "\u{e836}";
/// Phosphor's `info`.
pub const INFO: &str = "\u{e2ce}";
/// Phosphor's `keyboard`.
pub const KEYBOARD: &str = "\u{e2d8}";
/// Phosphor's `lightning`.
pub const LIGHTNING: &str = "\u{e2de}";
/// Phosphor's `link`.
pub const LINK: &str = "\u{e2e2}";
/// Phosphor's `list-bullets`.
pub const LIST: &str = "\u{e2f2}";
/// Phosphor's `magnifying-glass`.
pub const MAGNIFYING_GLASS: &str = "\u{e30c}";
/// Phosphor's `moon`.
pub const MOON: &str = "\u{e330}";
/// Phosphor's `pause`.
pub const PAUSE: &str = "\u{e39e}";
/// Phosphor's `play`.
pub const PLAY: &str = "\u{e3d0}";
/// Phosphor's `plus`.
pub const PLUS: &str = "\u{e3d4}";
/// Phosphor's `scan`.
pub const SCAN: &str = "\u{ebb6}";
/// Phosphor's `sign-out`.
pub const SIGN_OUT: &str = "\u{e42a}";
/// Phosphor's `stop`.
pub const STOP: &str = "\u{e46c}";
/// Phosphor's `sun`.
pub const SUN: &str = "\u{e472}";
/// Phosphor's `t-shirt`.
pub const T_SHIRT: &str = "\u{e670}";
/// Phosphor's `table`.
pub const TABLE: &str = "\u{e476}";
/// Phosphor's `trash`.
pub const TRASH: &str = "\u{e4a6}";
/// Phosphor's `warning`.
pub const WARNING: &str = "\u{e4e0}";
/// Phosphor's `warning-circle`.
pub const WARNING_CIRCLE: &str = "\u{e4e2}";
/// Phosphor's `x`.
pub const X: &str = "\u{e4f6}";
/// Phosphor's `x-circle`.
pub const X_CIRCLE: &str = "\u{e4f8}";
/// Phosphor's `magnifying-glass-plus`.
pub const ZOOM_IN: &str = "\u{e310}";
/// Phosphor's `magnifying-glass-minus`.
pub const ZOOM_OUT: &str = "\u{e30e}";
/// Phosphor's `tray`.
pub const TRAY: &str = "\u{e4aa}";
/// Phosphor's `arrow-left`.
pub const ARROW_LEFT: &str = "\u{e058}";
/// Phosphor's `arrow-u-up-left`.
pub const ARROW_U_UP_LEFT: &str = "\u{e08a}";
/// Phosphor's `arrow-u-up-right`.
pub const ARROW_U_UP_RIGHT: &str = "\u{e08c}";
/// Phosphor's `caret-left`.
pub const CARET_LEFT: &str = "\u{e138}";
/// Phosphor's `chart-scatter`.
pub const CHART_SCATTER: &str = "\u{eaac}";
/// Phosphor's `copy`.
pub const COPY: &str = "\u{e1ca}";
/// Phosphor's `export`.
pub const EXPORT: &str = "\u{eaf0}";
/// Phosphor's `fire`.
pub const FIRE: &str = "\u{e242}";
/// Phosphor's `flag`.
pub const FLAG: &str = "\u{e244}";
/// Phosphor's `git-diff`.
pub const GIT_DIFF: &str = "\u{e27c}";
/// Phosphor's `grid-four`.
pub const GRID_FOUR: &str = "\u{e296}";
/// Phosphor's `lasso`.
pub const LASSO: &str = "\u{edc6}";
/// Phosphor's `microscope`.
pub const MICROSCOPE: &str = "\u{ec7a}";
/// Phosphor's `pencil-simple`.
pub const PENCIL_SIMPLE: &str = "\u{e3b4}";
/// Phosphor's `skip-forward`.
pub const SKIP_FORWARD: &str = "\u{e5a6}";
/// Phosphor's `sort-ascending`.
pub const SORT_ASCENDING: &str = "\u{e444}";
/// Phosphor's `sort-descending`.
pub const SORT_DESCENDING: &str = "\u{e446}";
/// Phosphor's `tag`.
pub const TAG: &str = "\u{e478}";
/// Phosphor's `caret-up`.
pub const CARET_UP: &str = "\u{e13c}";
/// Phosphor's `sidebar-simple`.
pub const SIDEBAR: &str = "\u{ec24}";
