"use strict";
const byId = (id) => document.getElementById(id);
const make = (tag, text, kind) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (kind) element.className = kind;
  return element;
};
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
  image.src = URL.createObjectURL(file);
  const words = make("div");
  words.append(make("h2", file.name), make("p", "Predicting..."));
  card.append(image, words);
  byId("answers").prepend(card);
  return words;
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
      const meter = make("meter");
      meter.value = probability;
      bar.append(text, meter, make("output", percent(probability)));
      words.append(bar);
    });
  }
}

async function ask(file, words) {
  for (;;) {
    const response = await fetch("predict", { method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" } });
    if (response.status !== 503) return show(words, await response.json());
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

async function predict(files) {
  byId("message").textContent = "";
  const all = [...files].map((file) => [file, card(file)]);
  for (const [file, words] of all) {
    try {
      await ask(file, words);
    } catch (error) {
      show(words, { error: `The service does not answer: ${error.message}` });
    }
  }
}

const drop = byId("drop");
byId("files").addEventListener("change", (event) => predict(event.target.files));
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
  const files = [...event.dataTransfer.files];
  if (files.length) predict(files);
  else byId("message").textContent = "That is no file: save the image first, then drop the file.";
});
document.addEventListener("paste", (event) => predict(event.clipboardData.files));
showModel().catch((error) => { byId("about").textContent = `The service does not answer: ${error.message}`; });
