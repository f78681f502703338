/** What a dialog does when it is sent: once at a time; what the server says is wrong stays, success closes it. */
import { useState } from 'react';
import { problemText } from '@/app/errors';

export interface Submission {
  /** What went wrong last, in words. */
  error: string;
  isWorking: boolean;
  send: () => Promise<void>;
}

export function useSubmission(run: () => Promise<unknown>, onDone: () => void): Submission {
  const [error, setError] = useState('');
  const [isWorking, setWorking] = useState(false);
  const send = async () => {
    if (isWorking) return;
    setWorking(true);
    setError('');
    try {
      await run();
      onDone();
    } catch (problem) {
      setError(problemText(problem));
      setWorking(false);
    }
  };
  return { error, isWorking, send };
}
