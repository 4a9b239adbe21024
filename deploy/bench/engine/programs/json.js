(function () {
  let items = [];
  for (let i = 0; i < 1000; i++) {
    items.push({ id: i, name: "item " + i, price: i * 3, tags: ["red", "green", "blue"], sold: i % 2 === 0 });
  }
  let s = 0;
  for (let pass = 0; pass < 5; pass++) {
    const text = JSON.stringify({ items: items });
    const back = JSON.parse(text);
    items = back.items;
    s += text.length + items.length;
  }
  return s + items[999].price;
})()
