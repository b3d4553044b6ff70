use rten_tensor::{AsView as _, NdTensor, TensorView};

fn main() -> anyhow::Result<()> {
    let model = rten::Model::load_file("model.onnx")?;
    let photo = image::open("photo.jpg")?.to_rgb8();
    let shape = [1, photo.height() as usize, photo.width() as usize, 3];
    let photo = NdTensor::from_data(shape, photo.into_raw());
    let (image, tasks) = (model.input_ids()[0], model.output_ids());
    for (task, answer) in tasks.iter().zip(model.run(vec![(image, photo.into())], tasks, None)?) {
        let name = model.node_info(*task).and_then(|node| node.name().map(str::to_owned));
        println!("{name:?}: {:?}", TensorView::<f32>::try_from(&answer)?.to_vec());
    }
    Ok(())
}
