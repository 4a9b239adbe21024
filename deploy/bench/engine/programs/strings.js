(function () {
  let s = "";
  for (let i = 0; i < 20000; i++) { s += "item " + i + ", "; }
  return s.length;
})()
