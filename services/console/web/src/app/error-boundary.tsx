/** Keeps a page that fails from taking the shell with it. */
import { Component, type ReactNode } from 'react';
import { forgetUnused } from '@/api/queries';
import { Problem } from './problem';

interface Props {
  /** A change of it is a new page, which gets a new chance. */
  resetKey: string;
  children: ReactNode;
}

export class ErrorBoundary extends Component<Props, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override componentDidUpdate(before: Props) {
    if (before.resetKey !== this.props.resetKey && this.state.error !== null) this.setState({ error: null });
  }

  private readonly retry = () => {
    forgetUnused();
    this.setState({ error: null });
  };

  override render() {
    if (this.state.error === null) return this.props.children;
    return <Problem error={this.state.error} retry={this.retry} />;
  }
}
