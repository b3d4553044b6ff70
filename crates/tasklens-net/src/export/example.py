import json
import numpy, onnxruntime
from PIL import Image, ImageOps

session = onnxruntime.InferenceSession("model.onnx")
labels = json.loads(session.get_modelmeta().custom_metadata_map["labels"])
photo = ImageOps.exif_transpose(Image.open("photo.jpg")).convert("RGB")
answers = session.run(None, {"image": numpy.asarray(photo)[None]})
for task, probabilities in zip(labels, answers):
    print(task, labels[task][probabilities[0].argmax()], probabilities[0].max())
