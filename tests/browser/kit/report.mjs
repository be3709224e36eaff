// What was seen: a fault does not end the run, so that one run shows all of them.

/** Faults that are said once more at the end. */
const MOST_REPEATED = 20;
/** Characters of a detail: an axe-core finding can be long. */
const MOST_DETAIL = 600;

const faults = [];
let checks = 0;

/** Notes a check; returns whether it held. */
export function check(holds, what, detail = '') {
    checks += 1;
    if (!holds) {
        faults.push(`${what}${detail === '' ? '' : `: ${String(detail).slice(0, MOST_DETAIL)}`}`);
        console.log(`  FAULT ${faults.at(-1)}`);
    }
    return Boolean(holds);
}

/** Like `check`, and says so where it holds. */
export function expect(holds, what, detail = '') {
    if (check(holds, what, detail)) console.log(`  ok: ${what}`);
    return Boolean(holds);
}

/** A part; one that breaks off is a fault, and the next part runs. */
export async function part(name, run) {
    const began = performance.now();
    console.log(`\n-- ${name}`);
    try {
        await run();
    } catch (error) {
        check(false, name, error.stack ?? error);
    }
    console.log(`-- ${name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

/** All faults once more; returns the exit status. */
export function closing() {
    console.log(`\n${checks} checks, ${faults.length} faults`);
    faults.slice(0, MOST_REPEATED).forEach((fault) => console.log(`FAULT ${fault}`));
    if (faults.length > MOST_REPEATED) console.log(`and ${faults.length - MOST_REPEATED} more, above`);
    return faults.length === 0 ? 0 : 1;
}
