import type { CDPSession } from 'playwright-core';

import { micros } from '../peers/instruments.ts';
import { Spending, type Spent } from './spending.ts';

/** Of a page that has set its clock: by how much it may be wrong, and whether the page is alone in its process. */
interface Readiness {
  errorMicros: number;
  isIsolated: boolean;
}

/** Answers what a page asks for, and knows what it has said. */
export function deskOf(session: CDPSession) {
  const spending = new Spending(session);
  let last: Spent = { main: 0, page: 0, network: 0 };
  let tell: (how: Readiness) => void = () => undefined;
  const ready = new Promise<Readiness>((resolve) => (tell = resolve));
  const orders = {
    micros,
    find: () => spending.find(),
    begin: () => spending.begin(),
    cpuMicros: async (): Promise<number> => {
      last = await spending.spent();
      return last.page + last.network;
    },
    ready: (how: Readiness): void => {
      tell(how);
    },
  };
  return { orders, ready, spent: () => last };
}

export type DeskOrders = ReturnType<typeof deskOf>['orders'];
