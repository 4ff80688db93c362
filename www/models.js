// @ts-check
/** The models that the page offers, and captions to try with each, grouped as the paper groups its figures. */

/**
 * @typedef {{title: string, note: string, captions: string[]}} Group
 * @typedef {{name: string, title: string, caption: string, seed: number, groups: Group[]}} Choice
 */

/** @type {Choice[]} */
export const MODELS = [
  {
    name: 'digits',
    title: 'Handwritten digits',
    caption: 'the digit seven is on the left of the digit two',
    seed: 7,
    groups: [
      {
        title: 'Two digits',
        note: 'Say where one stands to the other.',
        captions: [
          'the digit seven is on the left of the digit two',
          'the digit two is on the left of the digit seven',
          'the digit three is at the top of the digit eight',
        ],
      },
      {
        title: 'One digit',
        note: 'Or in which corner.',
        captions: ['the digit nine is at the top left of the image', 'the digit nine is at the bottom right of the image'],
      },
    ],
  },
  {
    name: 'framed-digits',
    title: 'Digits in frames',
    caption: 'the digit five is on the left of the digit three',
    seed: 1,
    groups: [
      {
        title: 'Never trained on',
        note: 'These digits were held out of these places; each word has a frame of its own, so they come out all the same.',
        captions: [
          'the digit four is on the left of the digit zero',
          'the digit six is at the top of the digit two',
          'the digit three is at the top left of the image',
        ],
      },
      {
        title: 'Two digits',
        note: 'The first word is drawn first, then the second.',
        captions: [
          'the digit five is on the left of the digit three',
          'the digit three is on the right of the digit five',
          'the digit six is at the top of the digit nine',
        ],
      },
      {
        title: 'One digit',
        note: 'In any corner.',
        captions: ['the digit two is at the top right of the image', 'the digit seven is at the bottom left of the image'],
      },
    ],
  },
  {
    name: 'scenes',
    title: 'Colour scenes',
    caption: 'a yellow school bus parked in a parking lot',
    seed: 3,
    groups: [
      {
        title: 'Colours',
        note: 'One word changes, and with it the colour alone.',
        captions: ['yellow', 'red', 'green', 'blue'].map((colour) => `a ${colour} school bus parked in a parking lot`),
      },
      {
        title: 'Backgrounds',
        note: 'The same object somewhere else.',
        captions: [
          'a very large commercial plane flying in clear skies',
          'a very large commercial plane flying in rainy skies',
          'a herd of elephants walking across a dry grass field',
          'a herd of elephants walking across a green grass field',
        ],
      },
      {
        title: 'Objects',
        note: 'Another object in the same place.',
        captions: [
          'the decadent chocolate desert is on the table',
          'a bowl of bananas is on the table',
          'a vintage photo of a cat',
          'a vintage photo of a dog',
        ],
      },
      {
        title: 'Novel compositions',
        note: 'The first three and the toilet were held out: nothing like them was ever trained on.',
        captions: [
          'a stop sign is flying in blue skies',
          'a pale yellow school bus is flying in blue skies',
          'a herd of elephants flying in blue skies',
          'a large commercial airplane flying in blue skies',
          'a toilet seat sits open in the grass field',
          'a group of people walk on a beach with surf boards',
        ],
      },
      {
        title: 'Alignment',
        note: 'Watch which word is attended to while the background is painted.',
        captions: [
          'a rider on the blue motorcycle in the desert',
          'a rider on the blue motorcycle in the forest',
          'a surfer, a woman, and a child walk on the beach',
          'a surfer, a woman, and a child walk on the sun',
        ],
      },
    ],
  },
];

/** @param {string | undefined} name @returns {Choice} the model of that name, else the first */
export const choice = (name) => MODELS.find((model) => model.name === name) ?? MODELS[0];

/**
 * Captions to try as buttons, a row for each group.
 * @param {Choice} model @param {(caption: string) => void} onChoose @returns {HTMLElement[]}
 */
export function chips(model, onChoose) {
  return model.groups.map(({ title, captions }) => {
    const row = document.createElement('div');
    row.setAttribute('role', 'group');
    row.setAttribute('aria-label', title);
    const name = Object.assign(document.createElement('span'), { textContent: title });
    const buttons = captions.map((text) => {
      const button = Object.assign(document.createElement('button'), { type: 'button', textContent: text });
      button.addEventListener('click', () => onChoose(text));
      return button;
    });
    const list = document.createElement('p');
    list.append(...buttons);
    row.append(name, list);
    return row;
  });
}
