//! The predictions as a CSV: a row per image; per task the answer, its probability, and that of every
//! label.

use tasklens_data::config::Task;
use tasklens_net::inference::Prediction;

use crate::app::widgets::probability_bars::sorted;

/// A row of the CSV: what the image is called, and its prediction or why there is none.
pub struct Row<'a> {
    /// Path, address or name.
    pub image: String,
    /// The answer or the error.
    pub outcome: Result<&'a Prediction, &'a str>,
}

/// The CSV as text.
///
/// # Errors
/// Never in practice: memory is all it writes to.
pub fn csv(tasks: &[Task], rows: &[Row<'_>]) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut header = vec!["image".to_owned()];
    for task in tasks {
        header.extend([task.name.clone(), format!("{}_probability", task.name)]);
    }
    for task in tasks {
        header.extend(task.labels.iter().map(|label| format!("{}:{label}", task.name)));
    }
    header.push("error".to_owned());
    let width = header.len();
    writer.write_record(&header)?;
    for row in rows {
        let mut fields = vec![row.image.clone()];
        match row.outcome {
            Ok(prediction) => {
                let pairs = || tasks.iter().zip(&prediction.probabilities);
                for (task, probabilities) in pairs() {
                    let answer = sorted(probabilities).first().copied().unwrap_or_default();
                    fields.push(task.labels.get(answer).cloned().unwrap_or_default());
                    fields.push(
                        probabilities.get(answer).map(|share| format!("{share:.6}")).unwrap_or_default(),
                    );
                }
                fields.extend(pairs().flat_map(|(_, all)| all.iter().map(|share| format!("{share:.6}"))));
                fields.resize(width, String::new());
            }
            Err(message) => {
                fields.resize(width - 1, String::new());
                fields.push(message.to_owned());
            }
        }
        writer.write_record(&fields)?;
    }
    writer.into_inner().map_err(|error| anyhow::anyhow!("the CSV cannot be built: {}", error.error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_image_has_a_row_with_its_answers_or_its_error() {
        let tasks = [Task { name: "print".into(), labels: vec!["plain".into(), "striped".into()] }];
        let prediction = Prediction { probabilities: vec![vec![0.25, 0.75]] };
        let rows = [
            Row { image: "a, b.jpg".into(), outcome: Ok(&prediction) },
            Row { image: "c.jpg".into(), outcome: Err("c.jpg is missing") },
        ];
        let text = String::from_utf8(csv(&tasks, &rows).unwrap()).unwrap();
        assert_eq!(
            text,
            "image,print,print_probability,print:plain,print:striped,error\n\
             \"a, b.jpg\",striped,0.750000,0.250000,0.750000,\n\
             c.jpg,,,,,c.jpg is missing\n"
        );
    }
}
