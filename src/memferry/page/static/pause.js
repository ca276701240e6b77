// Resolves after so many milliseconds, or as soon as the browser has a network again.
export const pause = (duration) =>
  new Promise((wake) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener("online", end);
      wake();
    };
    const timer = setTimeout(end, duration);
    addEventListener("online", end);
  });
