// Saves a text that came with the page as a file. The address of a blob belongs to this page alone and ends with it.
const saved = new WeakMap();
const addresses = new WeakMap();

export default function (component) {
  const { data, parentElement } = component;
  const link = parentElement.querySelector(".again");
  parentElement.querySelector(".name").textContent = data.name;
  URL.revokeObjectURL(addresses.get(parentElement));
  const address = URL.createObjectURL(new Blob([data.text], { type: data.type }));
  addresses.set(parentElement, address);
  link.href = address;
  link.download = data.name;
  if (saved.get(parentElement) !== data.id) {
    saved.set(parentElement, data.id);
    link.click();
  }
  return () => URL.revokeObjectURL(address);
}
