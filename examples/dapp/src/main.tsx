import './style.css';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';

// The client tries again by itself whatever is worth it.
const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });

const root = document.getElementById('app');
if (root) {
  createRoot(root).render(
    <QueryClientProvider client={queries}>
      <App />
    </QueryClientProvider>,
  );
}
