use resvg::usvg::roxmltree;

use super::*;

fn ink() -> Color32 {
    theme::on_paper().accent_text
}

fn line(name: &str, look: LineLook, points: &[Point]) -> FigureLine {
    FigureLine { name: name.to_owned(), color: ink(), look, points: points.to_vec() }
}

fn figure() -> Figure {
    Figure {
        title: "Loss".to_owned(),
        subject: "2026-11-23 \"<first>\"".to_owned(),
        horizontal: Horizontal::Epoch,
        ends: (0.0, 4.0),
        scale: Scale::Number,
        lines: vec![
            line("a,b train", LineLook::Solid, &[[1.0, 0.1 + 0.2], [2.0, 0.25]]),
            line("a,b validation", LineLook::Dashed, &[[2.0, 0.4]]),
            line("chance", LineLook::Reference, &[[0.0, 1.0], [4.0, 1.0]]),
            line("batches", LineLook::Faint, &[[0.5, 90.0]]),
        ],
        marks: vec![FigureMark { epoch: 2, name: "best", color: theme::on_paper().text_weak }],
    }
}

#[test]
fn values_are_a_row_per_place_to_the_last_digit_without_what_is_only_for_comparison() {
    let csv = Exhibit::Figure(figure()).csv().unwrap();
    assert_eq!(
        csv,
        "epoch,\"a,b train\",\"a,b validation\",batches\n0.5,,,90\n1,0.30000000000000004,,\n2,0.25,0.4,\n"
    );
}

#[test]
fn a_name_becomes_a_file_name_that_every_system_takes() {
    let exhibit = Exhibit::Figure(Figure { subject: "../a:b/c\u{4e2d}".to_owned(), ..figure() });
    assert_eq!(exhibit.file_name(FigureForm::Svg), "_a_b_c\u{4e2d} loss.svg");
}

/// The elements of a name, with their attributes and text.
fn elements<'a>(svg: &'a roxmltree::Document<'_>, name: &str) -> Vec<roxmltree::Node<'a, 'a>> {
    svg.descendants().filter(|node| node.has_tag_name(name)).collect()
}

/// Spaces at its ends are not drawn.
fn text_of<'a>(node: &roxmltree::Node<'a, '_>) -> &'a str {
    node.text().unwrap_or_default().trim()
}

#[test]
fn a_drawing_is_well_formed_whatever_names_have_in_them_and_has_every_line_and_mark() {
    let mut figure = figure();
    figure.lines[0].name = "<b> & \u{1} 'c'".to_owned();
    let text = String::from_utf8(Exhibit::Figure(figure).bytes(FigureForm::Svg).unwrap()).unwrap();
    let drawing = roxmltree::Document::parse(&text).unwrap();
    let texts: Vec<&str> = elements(&drawing, "text").iter().map(text_of).collect();
    for wanted in
        ["<b> &  'c'", "a,b validation", "chance", "batches", "best", "epoch", "2026-11-23 \"<first>\""]
    {
        assert!(texts.contains(&wanted), "{wanted}: {texts:?}");
    }
    // Each line once in the plot, once in the legend.
    assert_eq!(elements(&drawing, "polyline").len(), 8);
    // Dots where epochs are few: two of training, one of validation.
    assert_eq!(elements(&drawing, "circle").len(), 3);
}

#[test]
fn a_point_lies_where_its_axis_says() {
    let text = String::from_utf8(Exhibit::Figure(figure()).bytes(FigureForm::Svg).unwrap()).unwrap();
    let drawing = roxmltree::Document::parse(&text).unwrap();
    let number =
        |node: &roxmltree::Node<'_, '_>, name: &str| node.attribute(name).unwrap().parse::<f64>().unwrap();
    let label =
        |text: &str| elements(&drawing, "text").into_iter().find(|node| text_of(node) == text).unwrap();
    // The dot of validation, at epoch 2 and 0.4: under the number 2, beside the number 0.4.
    let dot = elements(&drawing, "circle")
        .into_iter()
        .find(|dot| dot.attribute("fill") != Some(&svg::hex(ink())))
        .unwrap();
    assert!((number(&dot, "cx") - number(&label("2"), "x")).abs() < 0.02);
    assert!((number(&dot, "cy") + 4.0 - number(&label("0.4"), "y")).abs() < 0.02);
    // A single batch far outside does not flatten the rest: it does not move the axis.
    assert!(number(&dot, "cy") > 0.0);
    assert!(elements(&drawing, "text").iter().all(|node| text_of(node) != "90"));
}

#[test]
fn a_picture_has_the_colours_of_the_lines_and_a_table_has_none() {
    let exhibit = Exhibit::Figure(Figure {
        lines: vec![line("a", LineLook::Solid, &[[1.0, 1.0], [3.0, 2.0]])],
        ..figure()
    });
    let image = exhibit.image().unwrap();
    assert_eq!(image.width(), 1600);
    assert!(image.pixels.contains(&ink()), "the line is drawn");
    let png = exhibit.bytes(FigureForm::Png).unwrap();
    let decoded = image::load_from_memory(&png).unwrap();
    assert_eq!([decoded.width(), decoded.height()], image.size.map(|side| u32::try_from(side).unwrap()));
    let table = Exhibit::Table(Table {
        title: "T".to_owned(),
        subject: String::new(),
        rows: vec![vec!["a".to_owned()]],
    });
    assert_eq!(table.csv().unwrap(), "a\n");
    let error = table.bytes(FigureForm::Png).unwrap_err().to_string();
    assert_eq!(error, "T has no picture: save its values as CSV");
}
