// The page of the server; the slider's own script stands before it in the same file.
const element = (id) => document.getElementById(id);
const chosen = (name) => document.querySelector("input[name=" + name + "]:checked").value;
const maxBytes = Number(document.body.dataset.maxBytes);
const scale = document.body.dataset.scale;
const addresses = []; // of pictures in this page's memory
let running = null;

function show(id, shown) {
  element(id).hidden = !shown;
}

function size(bytes) {
  return bytes < 1e6 ? Math.max(1, Math.round(bytes / 1e3)) + "\u00a0kB" : (bytes / 1e6).toFixed(1) + "\u00a0MB";
}

function seconds(ms) {
  return ms < 950 ? Math.round(ms) + "\u00a0ms" : (ms / 1e3).toFixed(1) + "\u00a0s";
}

function fail(what, next) {
  element("what").textContent = what[0].toUpperCase() + what.slice(1) + ".";
  element("next").textContent = next ? "Next: " + next + "." : "";
  show("failure", true);
}

function doing(text, share) {
  element("doing").textContent = text;
  if (share === undefined) {
    element("progress").removeAttribute("value");
  } else {
    element("progress").value = share;
  }
}

// What an answer that is no picture says; a proxy between us may answer in another way.
async function refusal(request) {
  try {
    return JSON.parse(await request.response.text());
  } catch {
    return { what: "the server answered " + request.status, next: "try again" };
  }
}

// Sends a picture and resolves with how that ended: load, error or abort.
function exchange(request, file) {
  let sent = 0;
  request.open("POST", "upscale?format=" + chosen("format"));
  request.responseType = "blob";
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.upload.addEventListener("progress", (event) => {
    doing("Sending " + file.name, event.loaded / event.total);
  });
  request.upload.addEventListener("load", () => {
    sent = performance.now();
  });
  request.addEventListener("progress", (event) => {
    doing("Fetching the result", event.total ? event.loaded / event.total : undefined);
  });
  const clock = setInterval(() => {
    if (sent && request.readyState < 3) {
      doing("Enlarging " + file.name + ", " + Math.round((performance.now() - sent) / 1e3) + " s");
    }
  }, 250);
  return new Promise((resolve) => {
    for (const end of ["load", "error", "abort"]) {
      request.addEventListener(end, () => {
        clearInterval(clock);
        resolve(end);
      });
    }
    request.send(file);
  });
}

async function send(file) {
  if (running) {
    running.abort();
  }
  show("failure", false);
  if (file.size > maxBytes) {
    fail("the photo has " + size(file.size) + ", more than this server takes", "a smaller one");
    return;
  }
  const request = new XMLHttpRequest();
  const begun = performance.now();
  running = request;
  doing("Sending " + file.name, 0);
  show("work", true);
  const end = await exchange(request, file);
  if (end === "error") {
    fail("the server cannot be reached", "see whether it still runs");
  } else if (end === "load" && request.status === 200) {
    await showResult(file, request, performance.now() - begun);
  } else if (end === "load") {
    const said = await refusal(request);
    fail(said.what, said.next);
  }
  if (running === request) {
    running = null;
    show("work", false);
  }
}

async function load(image, blob) {
  addresses.push(URL.createObjectURL(blob));
  image.src = addresses.at(-1);
  try {
    await image.decode();
    return true;
  } catch {
    return false;
  }
}

async function showResult(file, request, ms) {
  addresses.splice(0).forEach((address) => URL.revokeObjectURL(address));
  const [before, after] = [element("before"), element("after")];
  const result = request.response;
  const ending = "." + chosen("format");
  const shown = await load(after, result);
  const knowsInput = await load(before, file);
  if (!knowsInput) {
    before.src = after.src; // keeps the place of a picture that browsers do not show
  }
  compare.style.setProperty("--cut", knowsInput ? "50%" : "0%");
  slider.value = knowsInput ? 50 : 0;
  const [width, height] = request.getResponseHeader("edgesr-size").split("x").map(Number);
  element("view").style.setProperty("--aspect", width / height);
  element("view").style.setProperty("--full", width / devicePixelRatio + "px");
  element("name").textContent = file.name;
  element("facts").textContent =
    width / scale + " \u00d7 " + height / scale + " \u2192 " + width + " \u00d7 " + height + ", " +
    size(file.size) + " \u2192 " + size(result.size) + ", " + seconds(ms);
  element("save").href = addresses[0];
  element("save").download = file.name.replace(/\.[^.]*$/, "") + "_x" + scale + ending;
  const notes = (request.getResponseHeader("edgesr-notes") || "").split(" | ").filter(Boolean);
  if (!shown) {
    notes.push("this browser cannot show so large a picture; save it");
  } else if (!knowsInput) {
    notes.push("this browser cannot show the picture that was sent, only the result");
  }
  element("notes").replaceChildren(
    ...notes.map((note) => Object.assign(document.createElement("li"), { textContent: note })),
  );
  element("ask").classList.add("small");
  show("result", true);
  zoom();
}

function zoom() {
  const view = element("view");
  view.classList.toggle("full", chosen("zoom") === "full");
  view.scrollTo((view.scrollWidth - view.clientWidth) / 2, (view.scrollHeight - view.clientHeight) / 2);
}

function sendFirst(files) {
  if (files && files.length) {
    send(files[0]);
  }
}

element("file").addEventListener("change", (event) => {
  sendFirst(event.target.files);
  event.target.value = ""; // so that the same photo can be chosen again
});
element("cancel").addEventListener("click", () => running && running.abort());
element("zoom").addEventListener("change", zoom);
addEventListener("paste", (event) => sendFirst(event.clipboardData.files));
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("over");
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) {
    document.body.classList.remove("over");
  }
});
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  sendFirst(event.dataTransfer.files);
});
