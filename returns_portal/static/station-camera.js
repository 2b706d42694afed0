// The camera as a scanner: Code 128 and GS1-128, QR, Data Matrix and EAN, read in this browser. Nothing is sent anywhere.
import { $, fill, said, tell } from "./station-parcel.js";

const FORMATS = ["Code128", "QRCode", "DataMatrix", "EAN13", "EAN8", "UPCA", "UPCE", "DataBar", "DataBarExp", "Code39", "ITF"];
const AGAIN_MS = 2500; // The same code in the picture for so long is still the same scan.

let stream;
let last = { text: "", at: 0 };

export const possible = () => Boolean(navigator.mediaDevices?.getUserMedia);

export async function toggle(scanned) {
  if (stream) return stop();
  try {
    const [picture] = await Promise.all([
      navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false }),
      reader(),
    ]);
    stream = picture;
    await look(scanned);
  } catch (error) {
    stop();
    tell("bad", fill(said.dataset.camera, { reason: error.name }), error.message);
  }
}

function stop() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = undefined;
  $("#finder").hidden = true;
}

let loading;

function reader() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = said.dataset.reader;
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => reject(new Error(said.dataset.reader)));
    document.head.append(script);
  }).then(() => ZXingWASM.prepareZXingModule({ overrides: { locateFile: () => said.dataset.wasm }, fireImmediately: true }));
  return loading;
}

async function look(scanned) {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  while (stream) {
    // The page's middle is replaced with every parcel, the finder with it.
    const video = $("#finder video");
    if (video.srcObject !== stream) {
      $("#finder").hidden = false;
      video.srcObject = stream;
      await video.play();
    }
    if (video.videoWidth) {
      [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
      context.drawImage(video, 0, 0);
      const [found] = await ZXingWASM.readBarcodes(context.getImageData(0, 0, canvas.width, canvas.height), { formats: FORMATS, maxNumberOfSymbols: 1, tryHarder: true });
      if (found?.isValid) await seen(found.text, scanned);
    }
    await new Promise((resolve) => setTimeout(resolve, 80));
  }
}

async function seen(text, scanned) {
  const now = performance.now();
  const same = text === last.text && now - last.at < AGAIN_MS;
  last = { text, at: now };
  if (!same) await scanned(text.toUpperCase(), text);
}
