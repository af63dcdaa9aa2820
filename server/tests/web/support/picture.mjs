// What a picture shows, in numbers.

import { PNG } from 'pngjs';

/**
 * Looks at a part of a picture: left, top, right, bottom as shares of its size.
 *
 * Gives the share of pixels that are not the background, which is the commonest colour, and the number of colours, at 4
 * bits a channel, that at least 20 of those pixels have.
 */
export function look(png, [left, top, right, bottom] = [0, 0, 1, 1]) {
  const { width, height, data } = PNG.sync.read(png);
  const pixels = [];
  for (let y = Math.floor(top * height); y < Math.floor(bottom * height); y++) {
    for (let x = Math.floor(left * width); x < Math.floor(right * width); x++) {
      const at = 4 * (y * width + x);
      pixels.push((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
    }
  }
  const commonest = most(count(pixels));
  const far = (a, b) => Math.max(...[16, 8, 0].map((bits) => Math.abs(((a >> bits) & 255) - ((b >> bits) & 255)))) > 12;
  const shown = pixels.filter((pixel) => far(pixel, commonest));
  const colours = [...count(shown.map((pixel) => pixel & 0xf0f0f0)).values()].filter((n) => n >= 20).length;
  return { share: shown.length / pixels.length, colours };
}

/** The mean colour of what is drawn, not black, within a few pixels of one; nothing where there is nothing. */
export function toneAt(png, [x, y], reach = 4) {
  const { width, height, data } = PNG.sync.read(png);
  const sum = [0, 0, 0];
  let count = 0;
  for (let row = Math.max(0, Math.round(y) - reach); row <= Math.min(height - 1, Math.round(y) + reach); row++) {
    for (let column = Math.max(0, Math.round(x) - reach); column <= Math.min(width - 1, Math.round(x) + reach); column++) {
      const at = 4 * (row * width + column);
      if (Math.max(data[at], data[at + 1], data[at + 2]) < 24) continue;
      count++;
      for (const channel of [0, 1, 2]) sum[channel] += data[at + channel];
    }
  }
  return count ? sum.map((value) => Math.round(value / count)) : undefined;
}

/** The share of pixels in which two pictures of one size differ. */
export function difference(a, b) {
  const [one, two] = [PNG.sync.read(a), PNG.sync.read(b)];
  let different = 0;
  for (let at = 0; at < one.data.length; at += 4) {
    if ([0, 1, 2].some((channel) => Math.abs(one.data[at + channel] - two.data[at + channel]) > 12)) different++;
  }
  return different / (one.width * one.height);
}

function count(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

const most = (counts) => [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0];
