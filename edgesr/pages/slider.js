"use strict";
const compare = document.getElementById("compare");
const slider = document.getElementById("slider");
slider.addEventListener("input", () => compare.style.setProperty("--cut", slider.value + "%"));
const imageOf = {};
for (const choice of document.querySelectorAll("input[data-image]")) {
  imageOf[choice.value] = choice.dataset.image;
}
for (const [name, side] of [["model", "after"], ["left", "before"]]) {
  for (const choice of document.querySelectorAll("input[name=" + name + "]")) {
    choice.addEventListener("change", () => {
      document.getElementById(side).src = imageOf[choice.value];
      document.getElementById(side).alt = choice.value;
      document.getElementById(side + "-name").textContent = choice.value;
    });
  }
}
