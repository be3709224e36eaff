// The self-check: asks for names that only this gateway answers.
(function () {
  "use strict";
  var box = document.getElementById("run");
  if (!box || !window.fetch || !window.crypto) { return; }
  var TRIES = 8, LIMIT = 4000;
  function label() {
    var octets = new Uint8Array(8), text = "";
    window.crypto.getRandomValues(octets);
    for (var i = 0; i < octets.length; i += 1) { text += ("0" + octets[i].toString(16)).slice(-2); }
    return text;
  }
  // True where the reply is this gateway's own word.
  function seen(origin) {
    var stop = window.AbortController ? new AbortController() : null;
    var timer = stop && setTimeout(function () { stop.abort(); }, LIMIT);
    return fetch(origin + "/seen?" + label(), {
      credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer", redirect: "error",
      signal: stop ? stop.signal : undefined
    }).then(function (reply) { return reply.text(); })
      .then(function (text) { return text === box.dataset.word; })
      .catch(function () { return false; })
      .then(function (is) { clearTimeout(timer); return is; });
  }
  // Whether a family leads here; null where the gateway has no address of it.
  function family(id) {
    if (!box.dataset[id]) { return Promise.resolve(null); }
    return seen("http://" + id + "-" + label() + box.dataset.below);
  }
  function way(id, is) {
    var cell = document.getElementById(id);
    if (is !== null) { cell.textContent = is ? cell.dataset.yes : cell.dataset.no; }
    return is === null ? "-" : (is ? "+" : "x");
  }
  box.hidden = false;
  document.getElementById("by-hand").hidden = true;
  var names = [];
  for (var i = 0; i < TRIES; i += 1) { names.push("http://" + label() + box.dataset.below); }
  Promise.all([Promise.all(names.map(seen)), family("v4"), family("v6")]).then(function (all) {
    var count = all[0].filter(Boolean).length;
    var which = count === TRIES ? "all" : (count === 0 ? "none" : "some");
    document.getElementById("verdict").textContent = box.dataset[which];
    document.getElementById("verdict").className = which === "all" ? "good" : "stop";
    document.getElementById("code").textContent =
      "S" + count + "-4" + way("v4", all[1]) + "6" + way("v6", all[2]) + "-" + box.dataset.blocked;
    document.getElementById("code-line").hidden = false;
  });
}());
