"use strict";
const byId = (id) => document.getElementById(id);
const make = (tag, text, kind) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (kind) element.className = kind;
  return element;
};
const tell = (message) => { byId("message").textContent = message; };
const percent = (share) => `${(100 * share).toFixed(1)} %`;

async function showModel() {
  const model = await (await fetch("model")).json();
  byId("name").textContent = model.name;
  const tasks = Object.entries(model.tasks).map(([name, task]) =>
    task.accuracy === null ? name : `${name} ${percent(task.accuracy)}`);
  byId("about").textContent = `${model.network}, epoch ${model.epoch}; accuracy on its validation images: ${tasks.join(", ")}`;
  document.title = `${model.name} - Tasklens`;
}

function card(file) {
  const card = make("section", undefined, "card");
  const image = make("img");
  image.alt = "";
  // Not every image that is predicted can be shown by a browser.
  image.addEventListener("error", () => image.classList.add("unseen"));
  image.src = URL.createObjectURL(file);
  const words = make("div");
  words.append(make("h2", file.name), make("p", "Predicting..."));
  card.append(image, words);
  return { card, words };
}

function show(words, answer) {
  words.querySelector("p").remove();
  if (answer.error) {
    words.append(make("p", answer.error, "error"));
    return;
  }
  if (answer.note) words.append(make("p", answer.note));
  for (const [name, task] of Object.entries(answer.tasks)) {
    words.append(make("h3", name));
    const labels = Object.entries(task.probabilities).sort((a, b) => b[1] - a[1]).slice(0, 5);
    labels.forEach(([label, probability], place) => {
      const bar = make("div", undefined, place === 0 ? "bar first" : "bar");
      const text = make("span", label);
      text.title = label;
      const length = make("progress");
      length.value = probability;
      bar.append(text, length, make("output", percent(probability)));
      words.append(bar);
    });
  }
}

async function ask(file, words) {
  const form = new FormData();
  form.append("image", file);
  for (;;) {
    const response = await fetch("predict", { method: "POST", body: form });
    if (response.status !== 503) {
      const answer = await response.json();
      return show(words, answer.images ? answer.images[0] : answer);
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

async function predict(files) {
  tell("");
  const all = files.map((file) => ({ file, ...card(file) }));
  // The latest ones first, in their own order.
  byId("answers").prepend(...all.map(({ card }) => card));
  for (const { file, words } of all) {
    try {
      await ask(file, words);
    } catch (error) {
      show(words, { error: `The file cannot be read, or the service does not answer: ${error.message}` });
    }
  }
}

const drop = byId("drop");
byId("files").addEventListener("change", (event) => {
  predict([...event.target.files]);
  // The same file may be chosen again.
  event.target.value = "";
});
drop.addEventListener("keydown", (event) => {
  if (event.key === "Enter" || event.key === " ") byId("files").click();
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
document.addEventListener("dragleave", () => drop.classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
  const isFolder = (item) => item.webkitGetAsEntry?.()?.isDirectory ?? false;
  const files = items.filter((item) => !isFolder(item)).map((item) => item.getAsFile()).filter((file) => file);
  if (files.length) predict(files);
  if (items.some(isFolder)) tell("Folders are not read: drop the images in them.");
  else if (!files.length) tell("That is not a file: save the image first, then drop the file.");
});
document.addEventListener("paste", (event) => {
  const files = [...event.clipboardData.files];
  if (files.length) predict(files);
  else tell("There is no image on the clipboard.");
});
showModel().catch((error) => { byId("about").textContent = `The service does not answer: ${error.message}`; });
