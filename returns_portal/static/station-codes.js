// What a scan says: the dock's control codes, badges and article numbers. The server judges again by the same rules.
export const CONTROLS = {
  "RP-NEW": "resellable", "RP-WORN": "worn", "RP-DAMAGED": "damaged", "RP-WRONG": "wrong_item",
  "RP-MISSING": "missing", "RP-EMPTY": "empty", "RP-LATER": "later", "RP-DONE": "done", "RP-UNDO": "undo",
};

export const control = (code) => CONTROLS[code] ?? CONTROLS[code.replace(/^RP(?=[A-Z])/, "RP-")];

export const isBadge = (code) => /^RB-?[0-9A-HJKMNP-TV-Z]{16}$/.test(code);

const fits = (number) =>
  [...number].reduceRight((sum, digit, place) => sum + Number(digit) * ((number.length - 1 - place) % 2 ? 3 : 1), 0) % 10 === 0;

// The EANs that a scan may mean: itself, a UPC, or the GTIN at the head of a GS1 element string.
export function eans(code) {
  const plain = code.replace(/^\][A-Z][0-9A-Z]/i, "").replace(/^\x1d/, "");
  const gtin = plain.match(/^\(?0[12]\)?(\d{14})/)?.[1] ?? "";
  return [plain, gtin]
    .map((number) => (number.length === 14 && number[0] === "0" ? number.slice(1) : number.length === 12 ? `0${number}` : number))
    .filter((number) => /^(\d{8}|\d{13})$/.test(number) && fits(number));
}
