// Makes photos smaller before they are sent: what a telephone takes has many times the pixels that are kept of it. Where
// the browser cannot read a picture, or this script does not run, it is sent as it is.
const LONGEST = 2000;
const LARGE = 1_500_000;

async function smaller(file) {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  const brush = canvas.getContext("2d");
  // A JPEG has no transparency, and what is left out of it turns black.
  brush.fillStyle = "white";
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const made = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
  return made && made.size < file.size ? new File([made], "photo.jpg", { type: "image/jpeg" }) : file;
}

for (const input of document.querySelectorAll("input[type=file][data-shrink]")) {
  let chosen = 0;
  input.addEventListener("change", async () => {
    const mine = ++chosen;
    const files = [...input.files];
    if (files.every((file) => file.size <= LARGE)) return;
    // Sent before it is done, the photos would go out whole; that takes longer, and is no harm. One after the other,
    // since each of them takes a lot of memory.
    const list = new DataTransfer();
    for (const file of files) list.items.add(file.size <= LARGE ? file : await smaller(file).catch(() => file));
    if (mine === chosen) input.files = list.files;
  });
}
