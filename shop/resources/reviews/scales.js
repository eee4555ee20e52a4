// What one to five mean for a characteristic.

const SCALES = {
  size: ['Too small', 'A bit small', 'Perfect', 'A bit big', 'Too big'],
  width: ['Too narrow', 'A bit narrow', 'Perfect', 'A bit wide', 'Too wide'],
  length: ['Too short', 'A bit short', 'Perfect', 'A bit long', 'Too long'],
  fit: ['Too tight', 'A bit tight', 'Perfect', 'A bit loose', 'Too loose'],
  comfort: ['Poor', 'Fair', 'Okay', 'Good', 'Perfect'],
  quality: ['Poor', 'Fair', 'Okay', 'Good', 'Perfect'],
};
const PLAIN = ['Low', 'Rather low', 'Medium', 'Rather high', 'High'];

/** Five words, from 1 to 5. */
export const scaleOf = name => SCALES[name.toLowerCase()] ?? PLAIN;
