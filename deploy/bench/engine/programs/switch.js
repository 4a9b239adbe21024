(function () {
  let s = 0;
  for (let i = 0; i < 300000; i++) {
    switch (i % 8) {
      case 0: s += 1; break;
      case 1: s -= 2; break;
      case 2: s += 3; break;
      case 3: s -= 4; break;
      case 4: s += 5; break;
      case 5: s -= 6; break;
      case 6: s += 7; break;
      default: s += 8;
    }
  }
  const words = ["north", "east", "south", "west"];
  for (let i = 0; i < 100000; i++) {
    switch (words[i % 4]) {
      case "north": s += 1; break;
      case "east": s += 2; break;
      case "south": s -= 1; break;
      case "west": s -= 2; break;
    }
  }
  return s;
})()
